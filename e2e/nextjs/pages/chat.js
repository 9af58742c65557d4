// A page that behaves as LobeChat's: with one provider it goes straight there.
import { SessionProvider, signIn, signOut, useSession } from 'next-auth/react'

export default function Page() {
  return <SessionProvider basePath="/api/auth"><Chat /></SessionProvider>
}

function Chat() {
  const { data: session } = useSession()
  return (
    <main>
      <h1>Chat</h1>
      {session && <p id="user">{session.user.id} {session.user.name}</p>}
      {session
        ? <button onClick={() => signOut()}>Log out</button>
        : <button onClick={() => signIn()}>Log in</button>}
    </main>
  )
}
