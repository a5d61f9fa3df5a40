import {findDockerName, fullNameOf, refOf} from '../image-documents/image-name.js'
import type {IndexName} from './index-entries.js'
import {isRef} from './reference.js'

/** containerd takes any name; what a terminal or a script would trip over is left out. */
const FULL_NAME = /^[\x21-\x7e]{1,1024}$/

/** How an index states a name of an image, verbatim where it is none of Docker's; undefined where it cannot. */
export function indexNameOf(text: string): IndexName | undefined {
  const ref = refOf(text)
  if (!isRef(ref)) return undefined
  const name = findDockerName(text)
  if (name !== undefined) return {ref, full: fullNameOf(name)}
  return {ref, full: FULL_NAME.test(text) ? text : undefined}
}
