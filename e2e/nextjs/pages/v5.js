import * as client from 'next-auth/react'
import { Person } from '../lib/person.js'

export const getServerSideProps = ({ query }) => ({ props: { required: 'required' in query } })

export default function Page({ required }) {
  return <client.SessionProvider><Person client={client} required={required} /></client.SessionProvider>
}
