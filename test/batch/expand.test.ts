import assert from 'node:assert/strict'
import {cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {expandPlan} from '../../src/batch/expand.js'
import {planFromSource} from '../../src/batch/plan-from-source.js'
import {parsePlan} from '../../src/batch/parse-plan.js'
import {fillReference, templateValues} from '../../src/batch/template.js'
import type {PlannedUnit} from '../../src/batch/unit.js'
import {convert} from '../../src/convert/convert.js'
import {list} from '../../src/convert/list.js'
import {TransshipError} from '../../src/model/errors.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const OS = 'CN=Microsoft_WindowsServerCore_10.0.14393.206'
const WEB = 'CN=Contoso_WebServer_1.0.0.0'
const SHOP = 'CN=Contoso_Shop_1.2.0.0'

describe('expand plan', () => {
  const folder = temporaryFolder()

  before(() => {
    for (const name of ['one', 'two']) {
      mkdirSync(path.join(folder.path, 'images', name), {recursive: true})
      cpSync('samples/shop.tar', path.join(folder.path, 'images', name, `${name}.tar`))
    }
    cpSync('samples/repository', path.join(folder.path, 'repository'), {recursive: true})
  })

  const expand = (...items: object[]): Promise<readonly PlannedUnit[]> => {
    const text = JSON.stringify({items}, null, 1)
    const plan = parsePlan(text, {name: 'plan.json', environment: {}})
    return expandPlan(plan, {folder: folder.path})
  }
  const ends = (units: readonly PlannedUnit[]) => units.map(({source, destination}) => [source, destination])

  it('makes a unit of each package, dependencies first, that come after those they build on', async () => {
    const units = await expand({source: 'inbox:repository', destination: 'inbox:out'})
    const place = 'inbox:repository:'
    assert.deepEqual(
      units.map(({id, after}) => [id, after]),
      [
        [place + OS, []],
        [place + WEB, [place + OS]],
        [place + SHOP, [place + WEB]],
      ],
    )
    assert.deepEqual(units[0]?.before[0]?.identity, OS)
  })

  describe('of a place with packages that cannot be read', () => {
    const damaged = () => path.join(folder.path, 'damaged')
    before(async () => {
      cpSync('samples/repository', damaged(), {recursive: true})
      writeFileSync(path.join(damaged(), WEB, 'metadata.json'), '{')
      mkdirSync(path.join(damaged(), 'notes of somebody'))
      const to = `appx:${path.join(folder.path, 'exported')}`
      mkdirSync(path.join(folder.path, 'exported'))
      await convert(`inbox:samples/repository:Shop`, to, {layers: 'chain'})
      writeFileSync(path.join(folder.path, 'exported', 'broken.appx'), 'none')
    })

    it('is refused, with what cannot be read and why, whether it may be meant or is', async () => {
      for (const [item, name] of [
        [{source: 'inbox:damaged'}, WEB],
        [{source: 'inbox:damaged', include: 'web*'}, WEB],
        [{source: 'inbox:damaged', options: {all: true}}, WEB],
        [{source: 'appx:exported', include: 'shop'}, 'broken.appx'],
      ] as const)
        await assert.rejects(expand({...item, destination: 'inbox:out'}), (error: TransshipError) => {
          assert.equal(error.code, 'PLAN_INVALID')
          assert.ok(error.what.startsWith(`transship cannot read '${name}' in `), error.what)
          assert.ok(!error.message.includes('notes of somebody'), error.message)
          assert.ok(error.suggestions.some((text) => text.includes('exclude')))
          return true
        })
    })

    it('is taken without what is excluded or not included', async () => {
      const count = async (item: object) => (await expand({...item, destination: 'inbox:out'})).length
      assert.equal(await count({source: 'inbox:damaged', exclude: WEB}), 2)
      assert.equal(await count({source: 'inbox:damaged', include: 'WindowsServerCore'}), 1)
      assert.equal(await count({source: 'appx:exported', exclude: 'broken.appx'}), 3)
    })

    it('is told by list and by batch plan, each entry once', async () => {
      for (const [source, names] of [
        [`inbox:${damaged()}`, [WEB, 'notes of somebody']],
        [`appx:${path.join(folder.path, 'exported')}`, ['broken.appx']],
      ] as const) {
        const notes: string[] = []
        await list(source, {onEvent: (event) => event.kind === 'note' && notes.push(event.subject)})
        assert.deepEqual(notes, names)
        const {yaml} = await planFromSource(source, 'inbox:out', {folder: folder.path})
        assert.match(yaml, new RegExp(`^# ${names[0]}: Skipped: `, 'm'))
      }
      const {code, stderr} = await runCli(['list', `inbox:${damaged()}`])
      assert.equal(code, 0)
      assert.equal(stderr.split(WEB).length > 1 && stderr.includes('Skipped: '), true, stderr)
    })
  })

  for (const {item, expected, note} of [
    {
      item: {source: 'inbox:repository', include: 'shop', destination: 'oci:out:{name}-{version}'},
      expected: [[`inbox:repository:${SHOP}`, 'oci:out:Shop-1.2.0.0']],
      note: 'a short name is enough, in any case',
    },
    {
      item: {source: 'inbox:repository', include: '*_1.*', exclude: ['*shop*'], destination: 'layout:{fullName}'},
      expected: [[`inbox:repository:${WEB}`, `layout:${WEB}`]],
      note: 'what is excluded is out, also if it is included',
    },
    {
      item: {source: 'docker-archive:images/*/*.tar', destination: 'docker-archive:out/{file}.tar'},
      expected: [
        ['docker-archive:images/one/one.tar', 'docker-archive:out/one.tar'],
        ['docker-archive:images/two/two.tar', 'docker-archive:out/two.tar'],
      ],
      note: 'a glob over folders',
    },
    {
      item: {source: 'images/**/t*.tar', destination: 'oci:out:{repository}-{tag}'},
      expected: [['docker-archive:images/two/two.tar', 'oci:out:contoso/shop-1.2.0']],
      note: 'a bare path is recognised by its content',
    },
    {
      item: {source: 'docker-archive:images/one/one.tar', include: 'contoso/*', destination: 'inbox:out'},
      expected: [['docker-archive:images/one/one.tar', 'inbox:out']],
      note: 'a glob with a slash is held against the whole name',
    },
  ]) {
    it(`takes ${JSON.stringify(item)}: ${note}`, async () => {
      assert.deepEqual(ends(await expand(item)), expected)
    })
  }

  it('puts an item after the one that makes its source, and changes its key with that', async () => {
    const make = (options: object) =>
      expand(
        {id: 'back', source: 'inbox:out:Shop', destination: 'docker-archive:back.tar'},
        {id: 'there', source: 'docker-archive:images/one/one.tar', destination: 'inbox:out', options},
      )
    const units = await make({})
    assert.deepEqual(
      units.map(({id, after}) => [id, after]),
      [
        ['there', []],
        ['back', ['there']],
      ],
    )
    assert.deepEqual(await make({}), units, 'keys are the same each time')
    const others = await make({layers: 'chain'})
    assert.equal(new Set([...units, ...others].map(({key}) => key)).size, 4)
  })

  it('takes for globs what the plan says, not the folder that it lies in, and follows links', async () => {
    const own = path.join(folder.path, 'Estate [2024] (old) {a}')
    mkdirSync(path.join(own, 'here'), {recursive: true})
    cpSync('samples/shop.tar', path.join(own, 'here', 'x.tar'))
    symlinkSync(path.join(own, 'here'), path.join(own, 'there'))
    const found = async (source: string) => {
      const text = JSON.stringify({items: [{source, destination: 'inbox:{file}', options: {name: '{file}'}}]})
      const units = await expandPlan(parsePlan(text, {name: 'plan.json', environment: {}}), {folder: own})
      return units.map((unit) => unit.source)
    }
    assert.deepEqual(await found('docker-archive:here/*.tar'), ['docker-archive:here/x.tar'])
    assert.deepEqual(await found('here/x.tar'), ['docker-archive:here/x.tar'])
    assert.deepEqual(await found('**/*.tar'), ['docker-archive:here/x.tar'])
    const both = JSON.stringify({items: [{source: '*/*.tar', destination: 'layout:out/{file}'}]})
    await assert.rejects(
      expandPlan(parsePlan(both, {name: 'plan.json', environment: {}}), {folder: own}),
      /Several sources .* docker-archive:here\/x\.tar and docker-archive:there\/x\.tar/,
    )
  })

  it('makes no file of a name that Windows takes for a device', () => {
    const row = {kind: 'image', reference: '', names: ['com1/nul.a:1']} as const
    const values = templateValues(row, 'aux.tar')
    assert.equal(fillReference('oci:out/{repository}/{file}', values), 'oci:out/com1-/nul-.a/aux-')
    assert.equal(fillReference('oci:{file}', templateValues(row, 'console.tar')), 'oci:console')
  })

  it('lets no name of a source lead out of the destination', async () => {
    const {fillReference, templateValues} = await import('../../src/batch/template.js')
    const row = {
      kind: 'image',
      reference: '',
      names: ['../../..//etc/./x:..'],
      imageId: `sha256:${'a'.repeat(64)}`,
    } as const
    const filled = fillReference('docker-archive:out/{repository}/{tag}/{name}.tar', templateValues(row, 'a.tar'))
    assert.ok(!filled.split(/[:/]/).some((part) => /^\.*$/.test(part)), filled)
  })

  for (const {items, at, says, suggests, note} of [
    {
      items: [{source: 'inbx:repository', destination: 'inbox:out'}],
      at: 'source',
      says: /No transport is called 'inbx'/,
      suggests: /'inbox'/,
      note: 'a misspelt transport',
    },
    {
      items: [{source: 'inbox:repository', destination: 'inbox:{nmae}'}],
      at: 'destination',
      says: /\{nmae\}/,
      suggests: /'name'/,
      note: 'a misspelt field',
    },
    {
      items: [{source: 'inbox:repository', include: '[a', destination: 'inbox:out'}],
      at: 'include',
      says: /'\[a' is not a glob/,
      note: 'a glob that does not close',
    },
    {
      items: [{source: 'inbox:repository', include: 'Shpo', destination: 'inbox:out'}],
      at: 'include',
      says: /leave nothing of 'inbox:repository'/,
      suggests: /'Shop'/,
      note: 'a glob that nothing fits',
    },
    {
      items: [{source: 'inbox:nowhere', destination: 'inbox:out'}],
      at: 'source',
      says: /file or folder does not exist/,
      note: 'a source that is not there',
    },
    {
      items: [{source: 'images/none-*.tar', destination: 'inbox:out'}],
      at: 'source',
      says: /matches no file/,
      note: 'a glob that no file fits',
    },
    {
      items: [{source: 'inbox:repository', destination: 'docker-archive:out.tar'}],
      at: 'destination',
      says: /Several sources have the destination 'docker-archive:out.tar'/,
      suggests: /\{name\}/,
      note: 'one file for three packages',
    },
    {
      items: [
        {source: 'images/one/one.tar', destination: 'docker-archive:out.tar'},
        {source: 'images/two/two.tar', destination: 'docker-archive:./OUT.tar'},
      ],
      at: 'destination',
      says: /also the destination of item 1 /,
      note: 'one destination twice, on Windows at least',
    },
    {
      items: [
        {id: 'a', source: 'inbox:one:Shop', destination: 'inbox:two'},
        {id: 'b', source: 'inbox:two:Shop', destination: 'inbox:one'},
      ],
      at: 'id',
      says: /wait for each other in a circle: a after b after a/,
      note: 'two that make the source of each other',
    },
    {
      items: [
        {id: 'a', source: 'images/one/one.tar', destination: 'inbox:one', after: 'b'},
        {id: 'b', source: 'images/two/two.tar', destination: 'inbox:two', after: 'a'},
      ],
      at: 'id',
      says: /wait for each other/,
      note: 'two that name each other',
    },
    {
      items: [
        {source: 'images/one/one.tar', destination: 'docker-archive:out'},
        {source: 'images/two/two.tar', destination: 'oci:out:tag'},
      ],
      at: 'destination',
      says: /also the destination of item 1 /,
      note: 'one path for a file and a folder',
    },
    {
      items: [{source: 'inbox:repository', include: 'Shop', destination: 'inbox:out', options: {all: true}}],
      at: 'include',
      says: /include and exclude are not allowed/,
      note: 'a choice of what is taken as a whole',
    },
    {
      items: [{source: 'inbox:repository', destination: 'oci:out:{name}', options: {compression: 'gzip:10'}}],
      at: 'options',
      says: /from 1 to 9/,
      note: 'a level that no compressor has',
    },
    {items: [{source: 'docker-archive:-', destination: 'inbox:out'}], at: 'source', says: /pipe/, note: 'a pipe'},
    {
      items: [{source: 'images/one/one.tar', destination: 'docker-archive:-'}],
      at: 'destination',
      says: /pipe/,
      note: 'into a pipe',
    },
  ]) {
    it(`refuses ${note}, with the line`, async () => {
      await assert.rejects(expand(...items), (error: unknown) => {
        assert.ok(error instanceof TransshipError, String(error))
        assert.deepEqual([error.code, error.exitCode], ['PLAN_INVALID', 2])
        const line = Number(/^plan\.json:(\d+):\d+$/.exec(error.at.path ?? '')?.[1])
        const text = JSON.stringify({items}, null, 1).split('\n')[line - 1] ?? ''
        assert.ok(text.includes(`"${at}"`) || text.trim().startsWith('{'), `line ${line}: ${text}`)
        assert.match(error.what, says)
        if (suggests !== undefined) assert.match(error.suggestions.join(' '), suggests)
        return true
      })
      assert.ok(!existsSync(path.join(folder.path, 'out')))
    })
  }
})
