// Reached only when Next.js signs in: otherwise Go answers these addresses.
import { handlers } from '../../../../auth.js'

export const { GET, POST } = handlers
