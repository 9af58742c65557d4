import NextAuth from 'next-auth'

export const { handlers, auth } = NextAuth({
  providers: [{
    // The identity provider that the Go program brings. Auth.js finds its address
    // in AUTH_DEMO_ISSUER.
    id: 'demo',
    name: 'Demo',
    type: 'oidc',
    clientId: 'nextjs',
    clientSecret: 'nextjs',
    checks: ['pkce', 'state', 'nonce'],
  }],
  callbacks: {
    // Auth.js makes up a new id at every sign-in. Go takes the provider's.
    jwt({ token, account }) {
      if (account) token.sub = account.providerAccountId
      return token
    },
    session({ session, token }) {
      session.user.id = token.sub
      return session
    },
  },
})
