import Head from 'next/head'

export default function App({ Component, pageProps }) {
  return <><Head><title>e2e</title></Head><Component {...pageProps} /></>
}
