// The middleware that decides who sees a page: LobeChat's, with protection on.
// LobeChat decides when it is built whether there is one.
import { NextResponse } from 'next/server'
import { auth } from './auth.js'

const open = /^\/(api\/auth|next-auth|webapi|trpc)(\/|$)/

const withSession = auth(request => {
  const signedIn = !!request.auth?.expires
  if (!signedIn && !open.test(request.nextUrl.pathname)) {
    const signIn = new URL('/next-auth/signin', request.nextUrl.origin)
    signIn.searchParams.set('callbackUrl', request.nextUrl.href)
    return NextResponse.redirect(signIn, 302)
  }
  const response = NextResponse.next()
  if (signedIn) response.headers.set('X-oauth-authorized', 'true')
  return response
})

export default (request, event) =>
  process.env.NEXT_AUTH_OFF ? NextResponse.next() : withSession(request, event)

export const config = { matcher: ['/(api|trpc|webapi)(.*)', '/', '/chat(.*)', '/settings(.*)', '/next-auth/(.*)'] }
