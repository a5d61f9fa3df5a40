import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, inspect, list, planConversion, verify, type ConvertOptions} from '../../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {LayoutBuilder, tagged} from '../../helpers/layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool, runTool} from '../../helpers/tools.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
/** Different images with one layer. */
const [A, B] = ['2001', '2002'].map((year) => partsOf([BASIC], {created: `${year}-01-01T00:00:00Z`})) as [Parts, Parts]
type Parts = ReturnType<typeof partsOf>

/** One conversion into the layout: of an image under a name, with `tag` to that tag of the layout. */
interface Step {
  readonly image: Parts
  readonly name: string
  readonly tag?: string
  readonly replace?: true
  /** Of the dry run; what is refused there is refused with `DESTINATION_EXISTS` by the real one. */
  readonly outcome: 'written' | 'unchanged' | 'replaced' | 'refused'
}

describe('images with one tag in an OCI layout', () => {
  const folder = temporaryFolder()
  let made = 0

  async function saved(parts: Parts, name: string): Promise<string> {
    const file = path.join(folder.path, `${made++}.tar`)
    writeFileSync(file, await tarOf(classicMembers(parts, [name])))
    return `docker-archive:${file}`
  }

  async function take({image, name, tag, replace, outcome}: Step, root: string): Promise<void> {
    const source = await saved(image, name)
    const target = `oci:${root}${tag === undefined ? '' : `:${tag}`}`
    const options: ConvertOptions = replace === undefined ? {} : {replace}
    const plan = await planConversion(source, target, options)
    assert.equal(plan.steps[0]!.outcome, outcome, `${name} to ${target}`)
    if (outcome === 'refused') {
      await assert.rejects(convert(source, target, options), {code: 'DESTINATION_EXISTS'})
      return
    }
    const {artifacts} = await convert(source, target, options)
    assert.equal((await inspect(artifacts[0]!.reference)).imageId, image.imageId)
  }

  async function imagesIn(root: string): Promise<Record<string, string>> {
    const {items} = await list(`oci:${root}`)
    const found: Record<string, string> = {}
    for (const {reference, names} of items) for (const name of names) found[name] = (await inspect(reference)).imageId!
    assert.deepEqual((await verify(`oci:${root}`)).faults, [])
    return found
  }

  const HUB = 'docker.io/library'
  const TABLE: {title: string; steps: Step[]; then: Record<string, Parts>}[] = [
    {
      title: 'stand beside each other',
      steps: [
        {image: A, name: 'shop:latest', outcome: 'written'},
        {image: B, name: 'web:latest', outcome: 'written'},
        {image: B, name: 'example.com/shop:latest', outcome: 'written'},
      ],
      then: {
        [`${HUB}/shop:latest`]: A,
        [`${HUB}/web:latest`]: B,
        'example.com/shop:latest': B,
      },
    },
    {
      title: 'are found again, each by its own name',
      steps: [
        {image: A, name: 'shop:1', outcome: 'written'},
        {image: B, name: 'web:1', outcome: 'written'},
        {image: B, name: 'web:1', outcome: 'unchanged'},
        {image: A, name: 'docker.io/library/shop:1', outcome: 'unchanged'},
        {image: A, name: 'web:1', outcome: 'refused'},
        {image: B, name: 'shop:1', outcome: 'refused'},
      ],
      then: {[`${HUB}/shop:1`]: A, [`${HUB}/web:1`]: B},
    },
    {
      title: 'are replaced each by itself',
      steps: [
        {image: A, name: 'shop:1', outcome: 'written'},
        {image: A, name: 'web:1', replace: true, outcome: 'written'},
        {image: B, name: 'web:1', replace: true, outcome: 'replaced'},
        {image: B, name: 'api:1', replace: true, outcome: 'written'},
        {image: B, name: 'shop:1', replace: true, outcome: 'replaced'},
      ],
      then: {[`${HUB}/shop:1`]: B, [`${HUB}/web:1`]: B, [`${HUB}/api:1`]: B},
    },
    {
      title: 'give way to a tag that is asked for',
      steps: [
        {image: A, name: 'shop:1', outcome: 'written'},
        {image: B, name: 'web:1', tag: '1', outcome: 'refused'},
        {image: B, name: 'web:1', tag: '1', replace: true, outcome: 'replaced'},
      ],
      then: {[`${HUB}/web:1`]: B},
    },
    {
      title: 'keep a whole name at one place, also where a tag is asked for',
      steps: [
        {image: A, name: 'shop:1', outcome: 'written'},
        {image: A, name: 'web:1', outcome: 'written'},
        {image: B, name: 'web:1', tag: '1', replace: true, outcome: 'replaced'},
      ],
      then: {[`${HUB}/web:1`]: A, 'layout:1': B},
    },
  ]
  for (const [index, {title, steps, then}] of TABLE.entries())
    it(title, async () => {
      const root = path.join(folder.path, `case-${index}`, 'layout')
      for (const step of steps) await take(step, root)
      const wanted = Object.fromEntries(Object.entries(then).map(([name, {imageId}]) => [name, imageId]))
      assert.deepEqual(await imagesIn(root), wanted)
    })

  it('are all told by where they stand, when an archive has several', async () => {
    const file = path.join(folder.path, 'several.tar')
    const members = [A, B].map((parts, index) => classicMembers(parts, [`app${index}:1`]))
    const manifests = members.flatMap((own) => JSON.parse(own.at(-1)![1] as string) as object[])
    const unique = new Map(members.flatMap((own) => own.slice(0, -1)))
    writeFileSync(file, await tarOf([...unique, ['manifest.json', JSON.stringify(manifests)]]))
    for (const target of [`oci:${path.join(folder.path, 'all')}`, `oci-archive:${path.join(folder.path, 'all.tar')}`]) {
      const {artifacts} = await convert(`docker-archive:${file}`, target, {all: true})
      const ids = await Promise.all(artifacts.map(async ({reference}) => (await inspect(reference)).imageId))
      assert.deepEqual(ids, [A.imageId, B.imageId])
    }
  })

  it('are told when a tag selects one of them', async () => {
    const root = path.join(folder.path, 'told')
    await convert(await saved(A, 'shop:1'), `oci:${root}`)
    assert.deepEqual((await inspect(`oci:${root}:1`)).warnings, [])
    await convert(await saved(B, 'web:1'), `oci:${root}`)
    const {imageId, warnings} = await inspect(`oci:${root}:1`)
    assert.equal(imageId, A.imageId)
    assert.deepEqual(warnings, [
      {
        code: 'tag-shared',
        message: "Other images here have the tag '1' as well: docker.io/library/web:1. Their whole names select them.",
      },
    ])
    assert.deepEqual((await inspect(`oci:${root}:docker.io/library/web:1`)).warnings, [])
  })

  it('do not take the place of one whose whole name nobody states', async () => {
    const root = path.join(folder.path, 'nameless')
    const builder = new LayoutBuilder()
    builder.manifests.push(builder.image(A, {more: tagged('1')}))
    builder.writeFolder(root)
    await take({image: B, name: 'web:1', outcome: 'refused'}, root)
    await take({image: A, name: 'web:1', outcome: 'unchanged'}, root)
  })

  it('of which a tag has two are not replaced by that tag', async () => {
    const root = path.join(folder.path, 'two')
    const builder = new LayoutBuilder()
    for (const [index, parts] of [A, B].entries()) {
      const name = {'io.containerd.image.name': `docker.io/library/app${index}:1`}
      builder.manifests.push(builder.image(parts, {more: {annotations: {...tagged('1').annotations, ...name}}}))
    }
    builder.writeFolder(root)
    const before = readFileSync(path.join(root, 'index.json'), 'utf8')
    const other = partsOf([BASIC], {created: '2003-01-01T00:00:00Z'})
    const source = await saved(other, 'web:1')
    await assert.rejects(convert(source, `oci:${root}:1`, {replace: true}), {code: 'AMBIGUOUS_SELECTION'})
    assert.equal(readFileSync(path.join(root, 'index.json'), 'utf8'), before)
    await take({image: other, name: 'app1:1', replace: true, outcome: 'replaced'}, root)
    assert.equal((await inspect(`oci:${root}:docker.io/library/app0:1`)).imageId, A.imageId)
  })

  it('are found by skopeo where transship says that they stand', async function () {
    requireTool(this, 'skopeo')
    const root = path.join(folder.path, 'skopeo')
    for (const [index, parts] of [A, B].entries()) {
      const {artifacts} = await convert(await saved(parts, `app${index}:1`), `oci:${root}`)
      const config = runTool('skopeo', ['inspect', '--config', '--raw', artifacts[0]!.reference])
      assert.equal(config, parts.config)
    }
  })
})
