import assert from 'node:assert/strict'
import type {ContainerSighting} from '../../src/runtime/container-row.js'
import {joinSightings, SHIM_OWNER} from '../../src/runtime/join-sightings.js'
import {selectContainer} from '../../src/runtime/select-container.js'
import {TransshipError} from '../../src/model/errors.js'

function seen(id: string, manager: string, more: Partial<ContainerSighting> = {}): ContainerSighting {
  return {id, name: id, manager, state: 'running', ...more}
}

describe('joining what several managers see', () => {
  it('makes one row of a container seen through its owner and what lies below', () => {
    const rows = joinSightings([
      {seenBy: 'docker', sightings: [seen('a1', 'docker', {name: 'shop', image: 'shop:1'})]},
      {seenBy: 'containerd', sightings: [seen('a1', 'docker', {namespace: 'moby', pid: 7})]},
      {seenBy: 'hcs', sightings: [seen('a1', 'docker', {memoryBytes: 5, isolation: 'process'})]},
    ])
    assert.deepEqual(rows, [
      {
        id: 'a1',
        name: 'shop',
        manager: 'docker',
        namespace: 'moby',
        image: 'shop:1',
        state: 'running',
        pid: 7,
        memoryBytes: 5,
        isolation: 'process',
        seenBy: ['docker', 'containerd', 'hcs'],
      },
    ])
  })

  it('keeps equal ids of two namespaces apart', () => {
    const rows = joinSightings([
      {
        seenBy: 'containerd',
        sightings: [seen('web', 'containerd', {namespace: 'b'}), seen('web', 'containerd', {namespace: 'a'})],
      },
    ])
    assert.deepEqual(
      rows.map(({namespace}) => namespace),
      ['a', 'b'],
    )
  })

  it('keeps an equal id of another owner apart', () => {
    const rows = joinSightings([
      {seenBy: 'docker', sightings: [seen('web', 'docker')]},
      {seenBy: 'podman', sightings: [seen('web', 'podman')]},
    ])
    assert.equal(rows.length, 2)
  })

  it("gives containerd's shim the owner that containerd knows, in either order", () => {
    const shim = {seenBy: 'hcs', sightings: [seen('pod', SHIM_OWNER, {memoryBytes: 3})]}
    const kubernetes = {seenBy: 'containerd', sightings: [seen('pod', 'kubernetes', {namespace: 'k8s.io'})]}
    for (const order of [
      [shim, kubernetes],
      [kubernetes, shim],
    ]) {
      const [row, ...others] = joinSightings(order)
      assert.equal(row?.manager, 'kubernetes')
      assert.equal(row.memoryBytes, 3)
      assert.deepEqual(others, [])
    }
  })
})

describe('selecting a container by what was typed', () => {
  const rows = joinSightings([
    {
      seenBy: 'containerd',
      sightings: [
        seen('abc123', 'docker', {name: 'web'}),
        seen('abd456', 'docker', {name: 'abc'}),
        seen('same', 'containerd', {namespace: 'a'}),
        seen('same', 'containerd', {namespace: 'b'}),
        seen('samesame', 'containerd', {namespace: 'b'}),
      ],
    },
  ])
  for (const {text, want, note} of [
    {text: 'abc123', want: 'abc123', note: 'a whole id'},
    {text: 'web', want: 'abc123', note: 'a name'},
    {text: 'abc', want: 'abd456', note: 'a whole name wins over the start of an id'},
    {text: 'abd', want: 'abd456', note: 'the start of one id'},
    {text: 'ab', want: 'AMBIGUOUS_SELECTION', note: 'the start of two'},
    {text: 'same', want: 'AMBIGUOUS_SELECTION', note: 'one id in two namespaces'},
    {text: 'a/same', want: 'same', note: 'the namespace tells them apart'},
    {text: 'b/same', want: 'same', note: 'a whole id wins over a longer one'},
    {text: 'b/', want: 'NOT_FOUND', note: 'a namespace alone means nothing'},
    {text: '', want: 'NOT_FOUND', note: 'nothing at all means nothing, not everything'},
    {text: 'zzz', want: 'NOT_FOUND', note: 'nobody has it'},
  ])
    it(`takes '${text}' for ${want}: ${note}`, () => {
      let got: string
      try {
        got = selectContainer(rows, text).id
      } catch (error) {
        assert.ok(error instanceof TransshipError)
        got = error.code
      }
      assert.equal(got, want)
    })
})
