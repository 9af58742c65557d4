'use client'

import { useEffect, useState } from 'react'
import { useRouter } from 'next/navigation'
import { SessionProvider, signIn, signOut, useSession } from 'next-auth/react'
import { Card } from './card.js'

// Without a session to start from, SessionProvider asks whoever answers
// /api/auth/session.
export function Browser({ signedIn }) {
  return <SessionProvider><Cards signedIn={signedIn} /></SessionProvider>
}

function Cards({ signedIn }) {
  const { data: session, status, update } = useSession()
  const [go, setGo] = useState()
  const router = useRouter()

  useEffect(() => {
    fetch('/api/go/hello').then(answer => answer.json().then(body => setGo(answer.ok ? body : null)))
  }, [session])

  // Signed in or out in another tab: what the server rendered is out of date.
  useEffect(() => {
    if (status !== 'loading' && (status === 'authenticated') !== signedIn) router.refresh()
  }, [status, signedIn, router])

  return (
    <>
      <Card id="browser" title="Next.js in the browser" how="useSession()"
        who={session && { Name: session.user.name, 'E-mail': session.user.email, Subject: session.user.id, Until: new Date(session.expires).toLocaleString() }} />
      <Card id="go" title="Go" how="GET /api/go/hello"
        who={go && { Greeting: go.hello, 'E-mail': go.email, Subject: go.subject }} />
      <nav>
        {status === 'authenticated'
          ? <>
              <button onClick={() => update()}>Update</button>
              <button onClick={() => signOut()}>Sign out</button>
            </>
          : <button className="primary" disabled={status === 'loading'} onClick={() => signIn('demo')}>Sign in</button>}
      </nav>
    </>
  )
}
