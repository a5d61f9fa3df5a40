import {EnvironmentError, InputError, type TransshipError} from '../../model/errors.js'
import {bytesOf, header, type HttpAnswer} from './http.js'

/** What was asked, for messages; never a whole address, which may hold a token. */
export interface Asked {
  readonly host: string
  readonly repository: string
  /** E.g. `manifest 1.0`. */
  readonly what: string
  /** Takes credentials out of what the registry said. */
  readonly hide: (text: string) => string
}

/** Most that is read of an answer which only tells why not. */
const MAX_REFUSAL_BYTES = 64 * 1024

/**
 * The error of an answer that is no success: `UNAUTHORIZED`, `NOT_FOUND`, else `NETWORK_FAILED` (rate limits as well). Of
 * the registry's words only codes and messages are shown, without what was sent to it.
 */
export async function refusalOf(answer: HttpAnswer, {host, repository, what, hide}: Asked): Promise<TransshipError> {
  const status = answer.statusCode
  const said = await saidBy(answer, hide)
  const why = `It answered ${status}${said === '' ? '' : `: ${said}`}.`
  if (status === 401 || status === 403) {
    return new EnvironmentError('UNAUTHORIZED', {
      what: `${host} denied access to ${what} of ${repository}.`,
      why,
      suggestions: [
        `Log in first: docker login ${host}`,
        'Check the name. Some image registries answer the same for missing names.',
      ],
    })
  }
  if (status === 404) {
    return new InputError('NOT_FOUND', {
      what: `${host} does not have ${what} of ${repository}.`,
      why,
      suggestions: [`Check that the repository ${host}/${repository} exists.`],
    })
  }
  if (status === 429) {
    const after = header(answer, 'retry-after')
    return new EnvironmentError('NETWORK_FAILED', {
      what: `${host} limits how often you may send requests.`,
      why,
      suggestions: [
        after === undefined ? 'Try again later.' : `Try again in ${after.slice(0, 40)} seconds.`,
        `Log in for a higher limit: docker login ${host}`,
      ],
    })
  }
  const elsewhere =
    status >= 300 && status < 400 ? URL.parse(header(answer, 'location') ?? '', `https://${host}`) : null
  return new EnvironmentError('NETWORK_FAILED', {
    what: `${host} refused ${what} of ${repository}.`,
    // The whole address may hold a token.
    why:
      elsewhere === null
        ? why
        : `It answered ${status} and redirects to ${elsewhere.origin}, which transship does not follow here.`,
  })
}

async function saidBy(answer: HttpAnswer, hide: Asked['hide']): Promise<string> {
  try {
    const body: unknown = JSON.parse(
      Buffer.from(await bytesOf(answer, 'the answer', MAX_REFUSAL_BYTES)).toString('utf8'),
    )
    if (typeof body !== 'object' || body === null || !('errors' in body) || !Array.isArray(body.errors)) return ''
    return (body.errors as unknown[])
      .slice(0, 3)
      .map((error) => saidIn(error, hide))
      .filter((text) => text !== '')
      .join('; ')
  } catch {
    // A page of a proxy, or nothing: the status has to do.
    return ''
  }
}

function saidIn(error: unknown, hide: Asked['hide']): string {
  if (typeof error !== 'object' || error === null) return ''
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const message = 'message' in error && typeof error.message === 'string' ? error.message : ''
  const text = hide([code, message].filter((part) => part !== '').join(' '))
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300)
}
