// A sign-in page that behaves as LobeChat's: a button for each id of
// NEXT_AUTH_SSO_PROVIDERS, which goes on to callbackUrl as it came.
import { Buttons } from './buttons.js'

export default async function SignIn({ searchParams }) {
  const { callbackUrl = '/' } = await searchParams
  const ids = process.env.NEXT_AUTH_SSO_PROVIDERS.split(/[,，]/).map(id => id.trim())
  return <main><h1>Sign in to the chat</h1><Buttons ids={ids} callbackUrl={callbackUrl} /></main>
}
