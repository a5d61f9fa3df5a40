import assert from 'node:assert/strict'
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert} from '../../../src/index.js'
import type {DestinationOptions, ImageDestination} from '../../../src/model/transport.js'
import {dockerArchive} from '../../../src/transports/docker-archive/docker-archive.js'
import {oci} from '../../../src/transports/oci/oci.js'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {FolderLock} from '../../../src/disk/folder-lock.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const OURS = partsOf([BASIC, LINKS])
const THEIRS = partsOf([LINKS])

describe('an OCI layout that others make while one writes it', () => {
  const folder = temporaryFolder()
  let made = 0

  async function saved(parts: typeof OURS, tag: string): Promise<string> {
    const file = path.join(folder.path, `${tag.replace(/\W/g, '-')}-${made++}.tar`)
    writeFileSync(file, await tarOf(classicMembers(parts, [tag])))
    return file
  }

  /** All but the last step of a writer of `app:1`. */
  async function written(root: string, options: DestinationOptions = {}): Promise<ImageDestination> {
    const destination = await oci.create(oci.parse(root), options)
    assert.equal(destination.holds, 'images')
    const image = await dockerArchive.open(dockerArchive.parse(await saved(OURS, 'app:1')), {})
    await destination.write({...image, config: () => image.config!}, {})
    await image.close()
    return destination
  }

  async function imagesIn(root: string): Promise<Record<string, string | undefined>> {
    const items = await oci.list(oci.parse(root), {})
    return Object.fromEntries(items.map(({names, imageId}) => [names[0]!, imageId]))
  }

  function requireTidy(root: string): void {
    assert.deepEqual(readdirSync(root).sort(), ['blobs', 'index.json', 'oci-layout'])
    const work = readdirSync(path.dirname(root)).filter((name) => name.includes('.tmp-'))
    assert.deepEqual(work, [])
  }

  const writerOf = (parts: typeof OURS, tag: string) => async (root: string) => {
    await convert(`docker-archive:${await saved(parts, tag)}`, `oci:${root}`)
  }
  const other = writerOf(THEIRS, 'app:2')
  const same = writerOf(OURS, 'app:1')
  const taken = writerOf(THEIRS, 'app:1')
  const both = {'docker.io/library/app:1': OURS.imageId, 'docker.io/library/app:2': THEIRS.imageId}

  for (const {appears, by, options, then} of [
    {appears: 'with another image', by: other, then: both},
    {appears: 'with the same image', by: same, then: {'docker.io/library/app:1': OURS.imageId}},
    {
      appears: 'with another image of that name, which is replaced',
      by: taken,
      options: {replace: true},
      then: {'docker.io/library/app:1': OURS.imageId},
    },
    {
      appears: 'behind a link',
      by: async (root: string) => {
        await other(`${root}-real`)
        symlinkSync(`${root}-real`, root)
      },
      then: both,
    },
    {
      appears: 'with nothing in it',
      by: (root: string) => {
        mkdirSync(root)
      },
      then: {'docker.io/library/app:1': OURS.imageId},
    },
    {
      appears: 'with a lock that goes again',
      by: async (root: string) => {
        await other(root)
        const lock = await FolderLock.take(root, {reference: root})
        setTimeout(() => {
          lock.release()
        }, 600)
      },
      then: both,
    },
  ])
    it(`appears ${appears}: both writers succeed`, async () => {
      const root = path.join(folder.path, `layout-${made++}`)
      const destination = await written(root, options)
      await by(root)
      await destination.commit({})
      assert.deepEqual(await imagesIn(root), then)
      assert.deepEqual((await oci.verify(oci.parse(root), {})).faults, [])
      requireTidy(root)
    })

  for (const {appears, by, code, left} of [
    {
      appears: 'a layout with another image of that name',
      by: taken,
      code: 'DESTINATION_EXISTS',
      left: {'docker.io/library/app:1': THEIRS.imageId},
    },
    {
      appears: 'a layout whose index cannot be read',
      by: async (root: string) => {
        await other(root)
        writeFileSync(path.join(root, 'index.json'), '{')
      },
      code: 'MANIFEST_INVALID',
    },
    {
      appears: 'a folder that is none',
      by: (root: string) => {
        mkdirSync(root)
        writeFileSync(path.join(root, 'mine.txt'), '')
      },
      code: 'DESTINATION_EXISTS',
    },
    {
      appears: 'a file',
      by: (root: string) => {
        writeFileSync(root, '')
      },
      code: 'DESTINATION_EXISTS',
    },
  ])
    it(`refuses ${appears}, and leaves it as it is`, async () => {
      const root = path.join(folder.path, `layout-${made++}`)
      const destination = await written(root)
      await by(root)
      const before = contentOf(root)
      await assert.rejects(destination.commit({}), {code})
      await destination.abort()
      assert.deepEqual(contentOf(root), before)
      if (left !== undefined) {
        assert.deepEqual(await imagesIn(root), left)
        requireTidy(root)
      }
      rmSync(root, {recursive: true})
      assert.ok(!existsSync(root))
    })
})

/** Every file and folder that begins with the place's name, links followed, and what is in it. */
function contentOf(root: string): Record<string, string> {
  const entries = readdirSync(path.dirname(root), {recursive: true, withFileTypes: true})
  const own = entries.filter((entry) => path.join(entry.parentPath, entry.name).startsWith(root))
  return Object.fromEntries(
    own.map((entry) => {
      const file = path.join(entry.parentPath, entry.name)
      return [file, entry.isFile() ? readFileSync(file, 'base64') : '']
    }),
  )
}
