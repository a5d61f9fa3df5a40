import assert from 'node:assert/strict'
import {InputError} from '../../../src/model/errors.js'
import {listWim, openWim} from '../../../src/transports/wim/source.js'
import {verifyWim} from '../../../src/transports/wim/verify.js'
import {listedRows, readRows, wimVector} from '../../helpers/wim-files.js'

const open = (name: string) => openWim({transport: 'wim', path: wimVector(name)}, {})

describe('Windows image files against the listings of an independent reader', () => {
  for (const {name, listing = name, image = 1} of [
    {name: 'none'},
    {name: 'none-pipable', listing: 'none'},
    {name: 'xpress', listing: 'lzx'},
    {name: 'xpress-4k', listing: 'lzx'},
    {name: 'lzx'},
    {name: 'lzx-new'},
    {name: 'lzx-128k', listing: 'lzx'},
    {name: 'lzx-pipable', listing: 'lzx'},
    {name: 'solid-lzx', listing: 'lzx'},
    {name: 'solid-xpress-small', listing: 'lzx'},
    {name: 'lzms', listing: 'lzx'},
    {name: 'solid-lzms', listing: 'lzx'},
    {name: 'split.swm', listing: 'lzx'},
    {name: 'two-images'},
    {name: 'two-images', image: 2},
    {name: 'unix-data'},
    {name: 'handmade'},
  ])
    it(`reads every entry, time, descriptor, stream, link and content of ${name}, image ${image}`, async () => {
      const {rows, faults} = await readRows(wimVector(name), image)
      const collided = faults.map(({code, what}) => [code, /^'Files(.*?)'/.exec(what)?.[1]] as const)
      for (const [code] of collided) assert.equal(code, 'NAME_COLLISION')
      const left = (place: string) => !collided.some(([, path]) => path === place)
      const isThere = (place: string) => left(place) && !(name === 'xpress-4k' && place === '/exact65536.txt')
      assert.deepEqual(
        rows,
        listedRows(listing, image).filter((row) => isThere(row.path)),
      )
    })

  it('refuses names that are one on Windows', async () => {
    const image = await open('lzx')
    await assert.rejects(
      async () => {
        for await (const _entry of image.layers[0]!.entries());
      },
      {code: 'NAME_COLLISION'},
    )
    await image.close()
  })

  it('lists the images with what the XML says, and the utility VM only when it is asked for', async () => {
    const told: string[] = []
    const path = wimVector('two-images')
    const items = await listWim({transport: 'wim', path}, {onEvent: (event) => told.push(event.kind)})
    const [vm] = await listWim({transport: 'wim', path, selector: 'utilityvm'})
    assert.deepEqual(
      [...items, vm!].map(({names, platform, reference}) => ({names, platform, reference})),
      [
        {
          names: ['NanoServer'],
          platform: {os: 'windows', architecture: 'amd64', osVersion: '10.0.14300.1000'},
          reference: `wim:${path}:1`,
        },
        {names: ['UtilityVM'], platform: {os: 'windows', architecture: 'amd64'}, reference: `wim:${path}:2`},
      ],
    )
    assert.deepEqual(told, ['note'])
  })

  it('puts the utility VM of the file beside the files', async () => {
    const image = await open('two-images')
    const paths: string[] = []
    for await (const entry of image.layers[0]!.entries()) if (entry.kind !== 'frame') paths.push(entry.path)
    assert.ok(paths.includes('Files/Windows'))
    assert.ok(paths.some((place) => place.startsWith('UtilityVM/Files/')))
    assert.deepEqual(image.names, ['nanoserver:10.0.14300.1000'])
    await image.close()
  })
})

describe('Windows image files that are damaged on purpose', () => {
  for (const {name, code} of [
    {name: 'bad-beyond-end', code: 'ARCHIVE_CORRUPT'},
    {name: 'bad-entry-length', code: 'ARCHIVE_CORRUPT'},
    {name: 'bad-hash', code: 'ARCHIVE_CORRUPT'},
    {name: 'bad-huge-size', code: 'ARCHIVE_CORRUPT'},
    {name: 'bad-loop', code: 'ARCHIVE_CORRUPT'},
    {name: 'bad-missing-blob', code: 'LAYER_MISSING'},
    {name: 'bad-names', code: 'NAME_UNSAFE'},
    {name: 'bad-part', code: 'ARCHIVE_CORRUPT'},
    {name: 'bad-security-id', code: 'DESCRIPTOR_CORRUPT'},
    {name: 'bad-shared-children', code: 'ARCHIVE_CORRUPT'},
  ]) {
    it(`verify tells ${code} of ${name}`, async () => {
      const {faults} = await verifyWim({transport: 'wim', path: wimVector(name)}, {})
      assert.ok(
        faults.some((fault) => fault.code === code),
        JSON.stringify(faults),
      )
      assert.ok(faults.every((fault) => fault.subject !== ''))
    })

    // An entry without its descriptor can be read: that is told as a loss.
    if (name !== 'bad-security-id')
      it(`reading ${name} fails`, async () => {
        await assert.rejects(async () => {
          const image = await open(name)
          try {
            for await (const entry of image.layers[0]!.entries())
              if (entry.kind === 'file') for await (const _piece of entry.content?.open() ?? []);
          } finally {
            await image.close()
          }
        }, InputError)
      })
  }

  it('tells as a loss that a descriptor is missing', async () => {
    const image = await open('bad-security-id')
    const told: string[] = []
    const onEvent = (event: {kind: string; code?: string}) => told.push(`${event.kind} ${event.code ?? ''}`)
    for await (const _entry of image.layers[0]!.entries({onEvent}));
    await image.close()
    assert.deepEqual(told, ['loss descriptor-missing'])
  })

  for (const name of ['none', 'xpress', 'lzx-new', 'lzx-pipable', 'solid-lzx', 'split.swm'])
    it(`verify finds nothing but the names that collide in ${name}`, async () => {
      const {faults, bytes} = await verifyWim({transport: 'wim', path: wimVector(name)}, {})
      for (const {code} of faults) assert.equal(code, 'NAME_COLLISION')
      assert.ok(bytes > 20_000)
    })
})
