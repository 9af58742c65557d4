// Next Auth as LobeChat has it: the user's id is a claim of its own, and the pages
// are at its own addresses.
import NextAuth from 'next-auth'

export const { auth, handlers } = NextAuth({
  secret: process.env.NEXT_AUTH_SECRET,
  trustHost: true,
  session: { strategy: 'jwt' },
  pages: { signIn: '/next-auth/signin', error: '/next-auth/error' },
  providers: [{
    id: 'zitadel',
    name: 'Zitadel',
    type: 'oidc',
    issuer: process.env.ZITADEL_ISSUER,
    clientId: process.env.ZITADEL_CLIENT_ID,
    clientSecret: process.env.ZITADEL_CLIENT_SECRET,
  }],
  callbacks: {
    jwt({ token, user }) {
      if (user?.id) token.userId = user.id
      return token
    },
    session({ session, token, user }) {
      session.user.id = user?.id ?? token.userId
      return session
    },
  },
})
