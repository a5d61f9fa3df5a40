import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {verify} from '../../src/index.js'
import {partsOf} from '../helpers/archives.js'
import {LayoutBuilder, tagged} from '../helpers/layouts.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))

describe('verifying an image of several platforms', () => {
  const folder = temporaryFolder()

  it('checks the one that is asked for, and tells which images were not read', async () => {
    const builder = new LayoutBuilder()
    const images = ['windows', 'linux', 'freebsd'].map((os) => ({
      ...builder.image(partsOf([BASIC], {os})),
      platform: {os, architecture: 'amd64'},
    }))
    builder.manifests.push({...builder.index(images), ...tagged('1.0')})
    const root = path.join(folder.path, 'layout')
    builder.writeFolder(root)
    const {ok, notes} = await verify(`oci:${root}:1.0`, {platform: 'windows/amd64'})
    assert.deepEqual(
      [ok, notes.map(({code, message}) => `${code} ${message}`)],
      [true, ['not-read 2 images for other platforms (freebsd/amd64, linux/amd64).']],
    )
    assert.deepEqual((await verify(`oci:${root}:1.0`)).notes, [])
  })
})
