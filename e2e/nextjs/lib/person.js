import { useEffect, useLayoutEffect, useState } from 'react'

// Person shows whom useSession and Go see, and hands the client's functions to
// the test. client is next-auth/react of either version.
export function Person({ client, required }) {
  const { data: session, status, update } = client.useSession({ required })
  const [go, setGo] = useState('')

  useLayoutEffect(() => {
    window.client = { ...client, update }
  })
  useEffect(() => {
    fetch('/api/go/hello').then(async answer => setGo(`${answer.status} ${(await answer.json()).hello ?? ''}`))
  }, [session])

  return (
    <main>
      <h1>Client</h1>
      <p id="status">{status}</p>
      <p id="user">{session ? `${session.user.id} ${session.user.name} ${session.user.email}` : ''}</p>
      <p id="go">{go}</p>
    </main>
  )
}
