import { headers } from 'next/headers'
import { getToken } from 'next-auth/jwt'
import { auth } from '../auth.js'
import { Browser } from './browser.js'
import { Card } from './card.js'

export default async function Page() {
  const session = await auth()
  const token = await getToken({
    req: { headers: await headers() },
    secret: process.env.AUTH_SECRET,
    secureCookie: process.env.AUTH_URL.startsWith('https:'),
  })
  return (
    <main>
      <h1>One sign-in, two servers</h1>
      <p>Who is signed in? Three places answer, each by itself.</p>
      <div className="cards">
        <Card id="server" title="Next.js on the server" how="auth(), getToken()"
          who={session && { Name: session.user.name, 'E-mail': session.user.email, Subject: token?.sub }} />
        <Browser signedIn={session != null} />
      </div>
    </main>
  )
}
