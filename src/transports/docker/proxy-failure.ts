import {EnvironmentError, findSystemCode, type ErrorCode, type ErrorDetails} from '../../model/errors.js'
import type {WebProxy} from '../../model/proxies.js'
import {isCertificateFault} from './certificates.js'

/** A proxy that cannot be reached or does not do what it is asked: the host behind it has not been spoken to. */
export class ProxyFailure extends EnvironmentError {
  /** Another attempt may not meet it. */
  readonly isPassing: boolean
  readonly #code: ErrorCode
  readonly #details: ErrorDetails

  constructor(
    code: 'NETWORK_FAILED' | 'TIMED_OUT' | 'UNAUTHORIZED',
    {isPassing, ...details}: ErrorDetails & {readonly isPassing: boolean},
  ) {
    super(code, details)
    this.isPassing = isPassing
    this.#code = code
    this.#details = details
  }

  /** The same for whoever called: it has been tried often enough. */
  get settled(): EnvironmentError {
    return new EnvironmentError(this.#code, this.#details)
  }
}

/** What the user is told of a proxy that no connection could be made to. */
export function unreachable({origin}: WebProxy, error: unknown): ProxyFailure {
  const code = findSystemCode(error) ?? 'nothing'
  if (isCertificateFault(error)) {
    return new ProxyFailure('NETWORK_FAILED', {
      what: `The certificate of the proxy ${origin} is not trusted.`,
      why: `TLS reported ${code}.`,
      suggestions: [`Put the certificate of its authority into /etc/docker/certs.d/${new URL(origin).host}/ca.crt.`],
      isPassing: false,
      cause: error,
    })
  }
  return new ProxyFailure(/TIMEOUT|ETIMEDOUT/.test(code) ? 'TIMED_OUT' : 'NETWORK_FAILED', {
    what: `transship cannot reach the proxy ${origin}.`,
    why: `The network reported ${code}.`,
    suggestions: [
      'Check HTTPS_PROXY and HTTP_PROXY, and whether the proxy runs.',
      'Put hosts that need no proxy into NO_PROXY.',
    ],
    // A name that is not known stays so.
    isPassing: code !== 'ENOTFOUND',
    cause: error,
  })
}

export interface ProxyAnswer {
  readonly status: number
  /** What was to be reached, `HOST:PORT`. */
  readonly host: string
  /** The header `Proxy-Authenticate`. */
  readonly asks?: string | undefined
}

/** What the user is told of a proxy that does not connect. */
export function refusedBy({origin, authorization}: WebProxy, {status, host, asks}: ProxyAnswer): ProxyFailure {
  const why = `It answered ${status} to a request for ${host}.`
  if (status !== 407) {
    return new ProxyFailure('NETWORK_FAILED', {
      what: `The proxy ${origin} does not connect to ${host}.`,
      why,
      suggestions: [
        'Check the name and port of the image registry as the proxy knows it.',
        'Ask the administrator of the proxy whether it blocks this host or port. Put hosts that need no proxy into NO_PROXY.',
      ],
      isPassing: status === 502 || status === 503 || status === 504 || status === 429,
    })
  }
  const schemes = (asks ?? '').split(',').flatMap((each) => /^[a-z]+(?=\s|$)/i.exec(each.trim()) ?? [])
  const isBasic = schemes.length === 0 || schemes.some((scheme) => scheme.toLowerCase() === 'basic')
  return new ProxyFailure('UNAUTHORIZED', {
    what: `The proxy ${origin} ${authorization === undefined ? 'requires a user and password' : 'rejected the user or password'}.`,
    why: isBasic ? why : `${why} It accepts only ${schemes.slice(0, 4).join(', ')}, not a plain password.`,
    suggestions: [
      isBasic
        ? 'Put them into the proxy address: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT'
        : 'Run a local proxy that supports this, such as cntlm or px, and set HTTPS_PROXY to it.',
    ],
    isPassing: false,
  })
}
