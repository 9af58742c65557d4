// Who the server sees, and who a gateway in front of it says that it is.
import { auth } from '../../../auth.js'

export async function GET(request) {
  const session = await auth()
  return Response.json({ session: session?.user?.id, header: request.headers.get('X-Forwarded-User') })
}
