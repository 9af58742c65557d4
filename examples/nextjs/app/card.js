// who is a person, null for nobody, undefined while that is not known.
export function Card({ id, title, how, who }) {
  return (
    <section id={id}>
      <h2>{title}</h2>
      <p><code>{how}</code></p>
      {who
        ? <dl>{Object.entries(who).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
        : <p className="quiet">{who === null ? 'Nobody is signed in.' : 'Asking…'}</p>}
    </section>
  )
}
