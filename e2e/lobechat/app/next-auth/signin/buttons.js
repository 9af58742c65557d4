'use client'
import { signIn } from 'next-auth/react'

export function Buttons({ ids, callbackUrl }) {
  return ids.map(id => <button key={id} onClick={() => signIn(id, { redirectTo: callbackUrl })}>{id}</button>)
}
