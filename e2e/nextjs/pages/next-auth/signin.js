// A sign-in page that behaves as LobeChat's: a button for each id of
// NEXT_AUTH_SSO_PROVIDERS, which goes on to callbackUrl as it came.
import { signIn } from 'next-auth/react'

export function getServerSideProps({ query }) {
  const ids = process.env.NEXT_AUTH_SSO_PROVIDERS.split(/[,，]/).map(id => id.trim())
  return { props: { ids, callbackUrl: query.callbackUrl ?? '/' } }
}

export default function SignIn({ ids, callbackUrl }) {
  return (
    <main>
      <h1>Sign in to the chat</h1>
      {ids.map(id => <button key={id} onClick={() => signIn(id, { redirectTo: callbackUrl })}>{id}</button>)}
    </main>
  )
}
