import assert from 'node:assert/strict'
import type {WorkEvent} from '../../../src/model/events.js'
import {ImageNames} from '../../../src/formats/image-archive/image-names.js'
import type {ImageDraft} from '../../../src/model/transport.js'

const SHA = `sha256:${'a'.repeat(64)}`

describe('names of a source, at a destination', () => {
  const draft = (names: readonly string[]): ImageDraft => ({
    names,
    platform: {os: 'windows', architecture: 'amd64'},
    layers: [],
    config: () => ({mediaType: '', bytes: new Uint8Array()}),
  })
  const held = (names: readonly string[], holdsOthers: boolean, selector?: string) => {
    const events: WorkEvent[] = []
    const found = new ImageNames({selector, given: 'x', bare: 'x', holdsOthers}).namesOf(draft(names), 0, {
      onEvent: (event) => events.push(event),
    })
    const left = events.map((event) => (event.kind === 'note' ? [event.code, event.subject] : []))
    return {names: found.names.map(({familiar}) => familiar), others: found.others, left}
  }
  const NAMES = ['web:1', `web@${SHA}`, `docker.io/library/web@${SHA}`, 'Web:1', 'web:1', 'no good\n:1']

  it('are all kept where an index is, each once, but what nobody could read', () => {
    const left = [['name-left-out', 'no good\n:1']]
    assert.deepEqual(held(NAMES, true), {names: ['web:1'], others: [`docker.io/library/web@${SHA}`, 'Web:1'], left})
  })

  it('are told of where only tags can be given, as an engine does', () => {
    const left = NAMES.filter((name) => name !== 'web:1').map((name) => ['name-left-out', name])
    assert.deepEqual(held(NAMES, false), {names: ['web:1'], others: [], left})
  })

  it('give way to the name of the reference', () => {
    assert.deepEqual(held(NAMES, false, 'app:2'), {names: ['app:2'], others: [], left: []})
  })
})
