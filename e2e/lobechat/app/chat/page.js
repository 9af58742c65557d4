import { auth } from '../../auth.js'
import { Person } from '../person.js'

export default async function Chat() {
  const session = await auth()
  return <main><h1>Chat</h1><p id="server">{session?.user?.id}</p><Person /></main>
}
