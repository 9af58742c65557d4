// The packages are those of the folder above.
export default { turbopack: { root: import.meta.dirname + '/..' } }
