const texts = {
  Configuration: 'There is a problem when trying to authenticate.',
  AccessDenied: 'Access was denied.',
}

export default async function Failed({ searchParams }) {
  const { error } = await searchParams
  return <main><h1>{texts[error] ?? 'Unknown error type.'}</h1><p id="code">{error}</p></main>
}
