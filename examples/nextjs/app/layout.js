import './style.css'

export const metadata = { title: 'One sign-in, two servers' }
export const viewport = { colorScheme: 'light dark' }

export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>
}
