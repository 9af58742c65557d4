// An Express application that answers whoever is signed in, as @auth/express
// documents it. It prints its port.
import { getSession } from '@auth/express'
import express from 'express'

const config = { providers: [], secret: process.env.SECRET, trustHost: true, basePath: '/auth' }
const app = express()
app.get('/', async (req, res) => {
  const session = await getSession(req, config)
  if (!session) return res.status(401).end()
  res.send(session.user.name)
})
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
