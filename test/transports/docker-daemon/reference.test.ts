import assert from 'node:assert/strict'
import type {Digest} from '../../../src/model/digest.js'
import {formatReference, findReference} from '../../../src/transports/catalog.js'
import {wantedOf, type Wanted} from '../../../src/transports/docker-daemon/reference.js'

const HEX = '0123456789abcdef'.repeat(4)

describe('references of docker-daemon:', () => {
  const name = (text: string, tag?: string, mayBeId = false): Wanted => ({kind: 'name', name: text, tag, mayBeId})
  const digest = `sha256:${HEX}` as Digest
  const pinned = (text: string, tag?: string): Wanted => ({kind: 'name', name: text, tag, mayBeId: false, digest})
  const rows: readonly (readonly [text: string, wanted: Wanted])[] = [
    ['', {kind: 'all'}],
    ['contoso/web', name('contoso/web')],
    ['contoso/web:1.0', name('contoso/web', '1.0')],
    ['localhost/web:1', name('localhost/web', '1')],
    ['registry.example:5000/web', name('registry.example:5000/web')],
    ['registry.example:5000/web:1', name('registry.example:5000/web', '1')],
    ['latest', name('latest')],
    ['web:latest', name('web', 'latest')],
    [`web@sha256:${HEX}`, pinned('web')],
    [`reg.example:5000/web:1@sha256:${HEX}`, pinned('reg.example:5000/web', '1')],
    ['[::1]:5000/a__b/web:1', name('[::1]:5000/a__b/web', '1')],
    ['Reg.Example/web', name('Reg.Example/web')],
    ['5f1c2a9b7d3e', name('5f1c2a9b7d3e', undefined, true)],
    ['beef:1', name('beef', '1')],
    [HEX, {kind: 'id', id: HEX}],
    [`sha256:${HEX}`, {kind: 'id', id: HEX}],
    ['sha256:5f1c', {kind: 'id', id: '5f1c'}],
  ]
  for (const [text, wanted] of rows)
    it(`reads '${text}' as ${JSON.stringify(wanted)} and writes it back`, () => {
      const reference = findReference(`docker-daemon:${text}`)
      assert.ok(reference !== undefined)
      assert.deepEqual(wantedOf(reference), wanted)
      assert.equal(formatReference(reference), `docker-daemon:${text}`)
    })

  for (const text of ['Web', 'web:', ':1', 'web:1:2', 'web@sha256:00', '../web', 'web:a/b', 'sha256:XYZ', 'web 1'])
    it(`refuses '${text}'`, () => {
      assert.throws(() => findReference(`docker-daemon:${text}`), {code: 'BAD_REFERENCE', exitCode: 2})
    })
})
