import assert from 'node:assert/strict'
import {existsSync, readdirSync, statSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, verify} from '../../src/index.js'
import {TransshipError} from '../../src/model/errors.js'
import {sha256} from '../helpers/archives.js'
import {findPartialCorpus} from '../helpers/corpora.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'

/*
 * Image archives and OCI layouts that other projects test themselves with. skopeo is the judge: what it reads is read here
 * to the same image ID, or refused for a true reason. `docs/compatibility.md` explains each.
 */

const PROJECTS: readonly {readonly name: string; readonly below: readonly string[]}[] = [
  {
    name: 'go-containerregistry',
    below: ['pkg/v1/tarball/testdata', 'pkg/v1/mutate/testdata', 'pkg/v1/layout/testdata', 'pkg/crane/testdata'],
  },
  {name: 'containers+image', below: ['docker/archive/fixtures', 'oci/layout/fixtures']},
  {name: 'moby+moby', below: ['integration-cli/testdata']},
]

/** Codes of what is refused, or found by `verify`, by the end of the path. */
const REFUSALS: Readonly<Record<string, readonly string[]>> = {
  'pkg/crane/testdata/content.tar': ['UNRECOGNISED_FORMAT'],
  'pkg/crane/testdata/content.tar.zst': ['UNRECOGNISED_FORMAT'],
  'pkg/v1/tarball/testdata/content.tar': ['UNRECOGNISED_FORMAT'],
  'pkg/v1/tarball/testdata/null_manifest.tar': ['MANIFEST_INVALID'],
  'pkg/v1/mutate/testdata/source_image_with_empty_layer_history.tar': ['DIGEST_MISMATCH'],
  'pkg/v1/layout/testdata/test_gc_index': ['MANIFEST_INVALID'],
  'pkg/v1/layout/testdata/test_index': ['MANIFEST_INVALID'],
  'oci/layout/fixtures/delete_image_multiple_images': ['MANIFEST_INVALID', 'DIGEST_MISMATCH', 'SIZE_MISMATCH'],
  'oci/layout/fixtures/delete_image_only_one_image': ['SIZE_MISMATCH'],
  'oci/layout/fixtures/delete_image_shared_blobs_dir': ['MANIFEST_MISSING'],
  'oci/layout/fixtures/delete_image_two_identical_references': ['MANIFEST_INVALID', 'DIGEST_MISMATCH'],
}
/** Layouts of no image at all: what their index names is something else, or not there. */
const NO_IMAGES = ['test_gc_image_unknown_mediatype', 'test_index_media_type']

interface Found {
  /** Of the reference. */
  readonly reference: string
  readonly name: string
}

/** Archives by their names, layouts by their marker. */
function imagesBelow(root: string, below: string): Found[] {
  return readdirSync(path.join(root, below), {recursive: true, encoding: 'utf8'}).flatMap((child) => {
    const name = path.join(below, child)
    const place = path.join(root, name)
    if (statSync(place).isDirectory())
      return existsSync(path.join(place, 'oci-layout')) ? [{reference: `oci:${place}`, name}] : []
    return /\.(?:tar|tgz|tar\.\w+)$/.test(name) && !name.includes('blobs/')
      ? [{reference: `docker-archive:${place}`, name}]
      : []
  })
}

describe('image archives and layouts of other projects', () => {
  const folder = temporaryFolder()
  const images: Found[] = []

  before(function () {
    this.timeout(120_000)
    for (const {name, below} of PROJECTS)
      for (const part of below) {
        const root = findPartialCorpus(name, path.join(folder.path, part.replaceAll('/', '-')), {below: part})
        if (root !== undefined) images.push(...imagesBelow(root, part))
      }
    images.splice(0, images.length, ...images.filter(({name}) => !NO_IMAGES.some((each) => name.endsWith(each))))
    if (images.length > 0) return
    // They are no package of the system, so that no machine is bound to have them.
    console.error('    SKIPPED, TRANSSHIP_CORPORA names no folder with images: none of other projects is read')
    this.skip()
  })

  const sound = () => images.filter(({name}) => REFUSALS[name] === undefined)

  it('are sound, or refused for a reason of ours', async () => {
    for (const {reference, name} of images) {
      const found = await verify(reference).then(
        ({faults}) => [...new Set(faults.map(({code}) => code))],
        (error: unknown) => [error instanceof TransshipError ? error.code : String(error)],
      )
      assert.deepEqual(found, REFUSALS[name] ?? [], name)
    }
    console.log(`      ${sound().length} sound, ${images.length - sound().length} refused`)
  }).timeout(120_000)

  it('have the image ID and the layers that skopeo finds', async function () {
    requireTool(this, 'skopeo')
    let compared = 0
    for (const {reference, name} of sound()) {
      let config
      try {
        config = runTool('skopeo', ['inspect', '--config', '--raw', reference])
      } catch (error) {
        // It takes archives of one image only, and none of the form of 2014.
        assert.match(
          String(error),
          /expected 1 item, got 2|manifest\.json: file does not exist|more than one image/,
          name,
        )
        continue
      }
      const {imageId, layers} = await inspect(reference)
      assert.equal(imageId, `sha256:${sha256(config)}`, name)
      const {rootfs} = JSON.parse(config) as {rootfs: {diff_ids: string[]}}
      assert.deepEqual(
        layers.map(({diffId}) => diffId),
        rootfs.diff_ids,
        name,
      )
      compared++
    }
    console.log(`      ${compared} compared`)
    assert.ok(compared > 0)
  }).timeout(120_000)

  it('come out as they went in, where they hold one image', async () => {
    for (const [index, {reference, name}] of sound().entries()) {
      const target = `docker-archive:${path.join(folder.path, `copy-${index}.tar`)}`
      const copied = await convert(reference, target).then(
        () => true,
        (error: unknown) => error,
      )
      if (copied !== true) {
        assert.equal(copied instanceof TransshipError ? copied.code : String(copied), 'AMBIGUOUS_SELECTION', name)
        continue
      }
      assert.equal((await inspect(target)).imageId, (await inspect(reference)).imageId, name)
      assert.deepEqual((await verify(target)).faults, [], name)
    }
  }).timeout(120_000)
})
