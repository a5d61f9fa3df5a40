import {readdir} from 'node:fs/promises'
import path from 'node:path'
import {readBounded} from '../../disk/safe-open.js'
import {rootCertificates} from 'node:tls'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'

/** What a registry is known by, and what it knows its user by. */
export interface Certificates {
  /** Authorities, beside those that are trusted anyway. */
  readonly ca?: readonly (string | Buffer)[] | undefined
  readonly cert?: Buffer
  readonly key?: Buffer
}

/** Bundles of all public authorities have some 250 KiB. */
const MAX_CERTIFICATE_BYTES = 16 * 2 ** 20

/** Where Docker looks. */
const DOCKER_FOLDER = process.platform === 'win32' ? String.raw`C:\ProgramData\docker\certs.d` : '/etc/docker/certs.d'

/**
 * Certificates that are kept for one registry: `HOST[:PORT]/*.crt` are authorities, `X.cert` with `X.key` is the client's.
 * Nothing where there is no such folder. Source: docs.docker.com, "Verify repository client with certificates". Throws
 * `METADATA_INVALID` for a client's certificate without its key, `NO_ACCESS`.
 */
export async function findCertificates(host: string, folder = DOCKER_FOLDER): Promise<Certificates> {
  // Windows allows no colon in a name; Docker leaves it out there.
  const place = path.join(folder, process.platform === 'win32' ? host.replace(':', '') : host)
  try {
    const names = (await readdir(place)).sort()
    const authorities = names.filter((name) => name.endsWith('.crt'))
    const client = names.find((name) => name.endsWith('.cert'))
    if (client !== undefined && !names.includes(keyOf(client))) throw withoutKey(place, client)
    const read = (name: string) => readBounded(path.join(place, name), MAX_CERTIFICATE_BYTES, {links: 'followed'})
    return {
      ...(authorities.length === 0 ? {} : {ca: [...rootCertificates, ...authorities.map(read)]}),
      ...(client === undefined ? {} : {cert: read(client), key: read(keyOf(client))}),
    }
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return {}
    throw asTransshipError(error, {path: place})
  }
}

function keyOf(client: string): string {
  return client.replace(/\.cert$/, '.key')
}

function withoutKey(place: string, client: string): InputError {
  return new InputError('METADATA_INVALID', {
    what: `The certificate ${client} has no key.`,
    why: `Expected ${keyOf(client)} beside it.`,
    at: {path: place},
  })
}

const FAULT = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|ERR_TLS/

/** True when the other side's certificate is what is wrong. */
export function isCertificateFault(error: unknown): boolean {
  return FAULT.test(findSystemCode(error) ?? '')
}
