import assert from 'node:assert/strict'
import {LayoutNodes, type LayoutNode} from '../../../src/formats/transport-layout/layout-nodes.js'
import {parseLayerPath as at} from '../../../src/model/layer-path.js'

describe('the nodes of a layout', () => {
  const of = (fill: (nodes: LayoutNodes) => void) => {
    const nodes = new LayoutNodes('it')
    fill(nodes)
    return nodes
  }
  const file = {kind: 'file', isCarrier: true} as const
  const directory = {kind: 'directory', isCarrier: false} as const
  const told = (nodes: Iterable<LayoutNode>) =>
    [...nodes].map((node) => (node.kind === 'tombstone' ? `-${node.path}${node.isOrphan ? '?' : ''}` : node.path))

  it('come in their order, deletions where they were told', () => {
    const nodes = of((all) => {
      all.pushDeletion(at('Files/first'), false)
      all.push(at('Files'), directory)
      all.pushDeletion(at('Files/b'), false)
      all.pushDeletion(at('Files/c'), false)
      all.push(at('Files/a'), file)
      all.pushDeletion(at('Files/x/y'), true)
    })
    assert.deepEqual(told(nodes), ['-Files/first', 'Files', '-Files/b', '-Files/c', 'Files/a', '-Files/x/y?'])
    assert.deepEqual(nodes.deletions, ['Files/first', 'Files/b', 'Files/c', 'Files/x/y'])
    assert.deepEqual(
      [...nodes.numbered()].map(([number, {path: own}]) => [number, own]),
      [
        [1, 'Files'],
        [2, 'Files/a'],
      ],
    )
    assert.equal(nodes.lastNumber, 2)
  })

  it('are known by number and by place, with all that is told of them', () => {
    const nodes = of((all) => {
      all.push(at('Files/x/a'), file)
      all.push(at('Hives'), {...directory, lacksCarrier: true})
      all.push(at('Hives/h'), {kind: 'file', isCarrier: false})
    })
    // Folders that nobody told of have a number and are no nodes.
    assert.deepEqual(
      [nodes.at(0), nodes.at(1), nodes.at(2), nodes.at(99)],
      [undefined, undefined, undefined, undefined],
    )
    assert.deepEqual(nodes.at(3), {kind: 'file', path: 'Files/x/a', diskPath: 'Files/x/a', isCarrier: true})
    assert.deepEqual(nodes.findOnDisk('hives'), {
      kind: 'directory',
      path: 'Hives',
      diskPath: 'Hives',
      isCarrier: false,
      lacksCarrier: true,
    })
    assert.deepEqual(nodes.findOnDisk('Hives/H')?.isCarrier, false)
    assert.deepEqual(
      [nodes.numberOnDisk('Files/none'), nodes.findOnDisk('Files'), nodes.findOnDisk('none')],
      [0, undefined, undefined],
    )
    assert.deepEqual(told(nodes), ['Files/x/a', 'Hives', 'Hives/h'])
  })

  it('have each name once, as Windows compares names', () => {
    const nodes = of((all) => {
      all.push(at('Files/a'), file)
    })
    assert.throws(
      () => {
        nodes.push(at('Files/A'), directory)
      },
      {code: 'NAME_COLLISION', at: {path: 'it'}},
    )
    assert.throws(
      () => {
        nodes.push(at('Files/a'), file)
      },
      {code: 'DUPLICATE_ENTRY'},
    )
  })

  it('of a utility VM lie elsewhere in the first previews', () => {
    const nodes = of((all) => {
      all.push(at('Files'), directory)
      all.setBaseOs('BaseOs')
      for (const name of ['UtilityVM', 'UtilityVM/Files', 'UtilityVM/Files/a', 'UtilityVMs'])
        all.push(at(name), directory)
    })
    assert.deepEqual(
      [...nodes.numbered()].map(([, node]) => node.diskPath),
      ['Files', 'BaseOs', 'BaseOs', 'BaseOs/a', 'UtilityVMs'],
    )
    assert.equal(nodes.findOnDisk('BaseOs/a')?.path, 'UtilityVM/Files/a')
    assert.equal(nodes.findOnDisk('BaseOs')?.path, 'UtilityVM/Files')
    assert.deepEqual([nodes.findOnDisk('BaseOsx'), nodes.findOnDisk('Files')?.path], [undefined, 'Files'])
  })
})
