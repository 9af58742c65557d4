// next-auth v4, reached only where Go answers nothing under /api/auth.
import NextAuth from 'next-auth-v4'

export default NextAuth({
  secret: process.env.AUTH_SECRET,
  providers: [{
    id: 'demo',
    name: 'Demo',
    type: 'oauth',
    wellKnown: `${process.env.AUTH_DEMO_ISSUER}/.well-known/openid-configuration`,
    clientId: 'nextjs',
    clientSecret: 'nextjs',
    idToken: true,
    authorization: { params: { scope: 'openid email profile' } },
    checks: ['pkce', 'state', 'nonce'],
    profile: ({ sub, name, email }) => ({ id: sub, name, email }),
  }],
  callbacks: {
    jwt({ token, trigger, session }) {
      if (trigger === 'update' && session) token.name = session.name
      return token
    },
    session({ session, token }) {
      session.user.id = token.sub
      return session
    },
  },
})
