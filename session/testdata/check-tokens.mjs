// Reads {salt, secret, token} objects, a line each, and prints what Auth.js
// decodes of each, or null.
import { decode } from '@auth/core/jwt'
import { createInterface } from 'node:readline'

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await decode(JSON.parse(line)).catch(() => null)))
}
