// A page that nothing protects.
import { Person } from '../person.js'

export default function Welcome() {
  return <main><h1>Welcome</h1><Person /></main>
}
