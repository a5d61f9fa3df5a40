import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {SaxesParser} from 'saxes'
import {explain, type ExplainReport} from '../../src/convert/explain.js'
import {drawExplain} from '../../src/report/explain-drawing.js'
import {runCli} from '../helpers/run-cli.js'
import {assertStored} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Texts of a drawing; throws for what is no XML. */
function textsOf(svg: string): readonly string[] {
  const texts: string[] = []
  const parser = new SaxesParser()
  let isText = false
  parser.on('opentag', ({name}) => {
    isText = name === 'text'
    if (isText) texts.push('')
  })
  parser.on('text', (text) => {
    if (isText) texts.push((texts.pop() ?? '') + text)
  })
  parser.on('closetag', () => {
    isText = false
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(svg).close()
  return texts
}

describe('the drawing of explain', () => {
  const folder = temporaryFolder()

  for (const [name, reference] of [
    ['image', 'docker-archive:samples/shop.tar'],
    ['package', 'inbox:samples/repository:CN=Contoso_Shop_1.2.0.0'],
  ] as const)
    it(`of the sample ${name} is the one that is stored`, async () => {
      const svg = drawExplain(await explain(reference))
      assert.ok(textsOf(svg).includes('Nothing is lost.'))
      await assertStored(`test/snapshots/explain-${name}.svg`, svg)
    })

  it('shows every layer, its command and size, and what it becomes', async () => {
    const report = await explain('docker-archive:samples/shop.tar')
    const texts = textsOf(drawExplain(report))
    for (const [index, {command = ''}] of report.layers.entries())
      assert.ok(texts.includes(`${String(index)}  ${command}`), command)
    for (const {name} of report.towards.makes) assert.ok(texts.join('').includes(name), name)
    assert.deepEqual(
      report.towards.makes.map(({layers, role}) => ({layers, role})),
      [
        {layers: [0], role: 'os'},
        {layers: [1, 2], role: 'application'},
      ],
    )
  })

  it('is valid and shows everything whatever names and messages hold', async () => {
    const report = await explain('docker-archive:samples/shop.tar')
    const odd = `<&>"'\u0000\u001b[31m\ud800\uffff${'long '.repeat(60)}`
    const many = Array.from({length: 20}, () => ({code: 'odd', message: odd, subject: odd}))
    const [layer] = report.layers
    assert.ok(layer)
    const {payload: _, ...named} = layer
    const hostile: ExplainReport = {
      ...report,
      reference: odd,
      names: [odd],
      layers: Array.from({length: 127}, () => ({...named, command: odd})),
      towards: {...report.towards, losses: many, makes: [{kind: 'package', name: odd, layers: [0, 126]}]},
    }
    const texts = textsOf(drawExplain(hostile))
    assert.equal(texts.filter((text) => text.includes('content not here')).length, 127)
    assert.ok(texts.includes('and 12 more'))
    for (const text of texts) assert.ok(text.length <= 130, text)
  })

  it('is written by --svg, whole or not at all', async () => {
    const file = path.join(folder.path, 'shop.svg')
    const {code} = await runCli(['explain', 'docker-archive:samples/shop.tar', '--svg', file, '--json'])
    assert.equal(code, 0)
    assert.equal(readFileSync(file, 'utf8'), drawExplain(await explain('docker-archive:samples/shop.tar')))
    const missing = await runCli(['explain', 'docker-archive:samples/shop.tar', '--svg', `${folder.path}/no/shop.svg`])
    assert.equal(missing.code, 3)
    assert.match(missing.stderr, /NOT_FOUND/)
  })
})
