// Decodes or encodes n times for each line { work, n } after a first line
// { name, secret, token, claims }, and answers with the nanoseconds of one.
import { decode, encode } from '@auth/core/jwt'
import { createInterface } from 'node:readline'

let works
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  if (!works) {
    const { name: salt, secret, token, claims } = asked
    works = { decode: () => decode({ token, secret, salt }), encode: () => encode({ token: { ...claims }, secret, salt }) }
    continue
  }
  const begun = process.hrtime.bigint()
  for (let i = 0; i < asked.n; i++) await works[asked.work]()
  console.log(Number(process.hrtime.bigint() - begun) / asked.n)
}
