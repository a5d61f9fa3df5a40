import {findDigest, type Digest} from '../../model/digest.js'
import {header, type HttpAnswer} from './http.js'

/** The digest that an answer states of what it is about; undefined when the header is missing, or empty, as some proxies send it. */
export function statedDigest(answer: HttpAnswer): string | undefined {
  const stated = header(answer, 'docker-content-digest')?.trim()
  return stated === '' ? undefined : stated
}

/** The same where it is one that something can be checked against. */
export function findStatedDigest(answer: HttpAnswer): Digest | undefined {
  const stated = statedDigest(answer)
  return stated === undefined ? undefined : findDigest(stated)
}
