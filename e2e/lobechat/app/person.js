'use client'
// The person whom useSession sees, and the client's functions for the test.
import { useLayoutEffect } from 'react'
import * as client from 'next-auth/react'

export function Person() {
  return <client.SessionProvider basePath="/api/auth"><Seen /></client.SessionProvider>
}

function Seen() {
  const { data: session, status } = client.useSession()
  useLayoutEffect(() => {
    window.client = client
  })
  return (
    <>
      <p id="status">{status}</p>
      {session && <p id="user">{session.user.id} {session.user.name}</p>}
      {session
        ? <button onClick={() => client.signOut()}>Log out</button>
        : <button onClick={() => client.signIn()}>Log in</button>}
    </>
  )
}
