// Reached only where Go answers nothing under /api/auth.
import { handlers } from '../../../../auth.js'

export const { GET, POST } = handlers
