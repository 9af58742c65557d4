import { useRouter } from 'next/router'

const texts = {
  Configuration: 'There is a problem when trying to authenticate.',
  AccessDenied: 'Access was denied.',
}

export default function Failed() {
  const { query } = useRouter()
  return <main><h1>{texts[query.error] ?? 'Unknown error type.'}</h1><p id="code">{query.error}</p></main>
}
