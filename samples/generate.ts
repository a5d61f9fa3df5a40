import {mkdirSync, rmSync} from 'node:fs'
import path from 'node:path'
import {encodeLayerTar} from '../src/codecs/layer-tar/encode-layer-tar.js'
import {makeImageConfig} from '../src/convert/image-config.js'
import {Digester} from '../src/model/digest.js'
import type {Layer, LayerForm, PackageMetadata} from '../src/model/image.js'
import type {LayerEntry} from '../src/model/layer-entry.js'
import {parseFullName} from '../src/model/package-identity.js'
import {dockerArchive} from '../src/transports/docker-archive/docker-archive.js'
import {inbox} from '../src/transports/inbox/inbox.js'
import {osLayer, shopLayer, webLayer} from './scene.js'

/* Makes samples/shop.tar and samples/repository anew. The same bytes each time. */

const VERSION = '10.0.14393.206'
const CREATED = '2016-10-12T08:30:00.0000000Z'

async function* each(entries: readonly LayerEntry[]): AsyncGenerator<LayerEntry> {
  yield* await Promise.resolve(entries)
}

function layerOf(title: string, form: LayerForm, make: () => readonly LayerEntry[]): Layer {
  return {title, form, hasContent: true, entries: () => each(make())}
}

const LAYERS = [
  layerOf('os', 'base', osLayer),
  layerOf('web', 'delta', webLayer),
  layerOf('shop', 'delta', shopLayer),
] as const

async function diffIdOf(layer: Layer) {
  const digester = new Digester()
  for await (const piece of encodeLayerTar(layer.entries(), {keepFrames: false})) digester.update(piece)
  return digester.digest()
}

/** An image as a build on Windows makes it: history, entrypoint, environment, labels. */
async function writeArchive(file: string): Promise<void> {
  const platform = {os: 'windows', architecture: 'amd64', osVersion: VERSION, osFeatures: ['win32k']}
  const created = (hour: number) => `2016-10-12T${String(hour).padStart(2, '0')}:00:00Z`
  const diffIds = await Promise.all(LAYERS.map(diffIdOf))
  const plain = makeImageConfig({
    platform,
    created: created(10),
    labels: {'com.contoso.team': 'shop'},
    diffIds,
    history: [
      {created: created(8), created_by: 'Apply image 10.0.14393.206'},
      {created: created(9), created_by: 'cmd /S /C powershell Add-WindowsFeature Web-Server'},
      {created: created(10), created_by: 'cmd /S /C #(nop) COPY dir:shop in C:\\Shop'},
      {created: created(10), created_by: 'cmd /S /C #(nop)  ENTRYPOINT ["C:\\\\Shop\\\\shop.exe"]', empty_layer: true},
    ],
  })
  const json = JSON.parse(Buffer.from(plain.bytes).toString()) as {config: object}
  const settings = {Entrypoint: ['C:\\Shop\\shop.exe'], Env: ['SHOP_CURRENCY=EUR'], ExposedPorts: {'80/tcp': {}}}
  const config = {...plain, bytes: Buffer.from(JSON.stringify({...json, config: {...json.config, ...settings}}))}
  const destination = await dockerArchive.create(dockerArchive.parse(file), {replace: true})
  if (destination.holds !== 'images') throw new TypeError('an archive holds images')
  await destination.write({names: ['contoso/shop:1.2.0'], platform, layers: LAYERS, config: () => config}, {})
  await destination.commit({})
}

function metadata(fullName: string, description: string, dependency?: string): PackageMetadata {
  const identity = parseFullName(fullName)
  return {
    identity,
    friendlyName: description,
    architecture: 'x64',
    osVersion: VERSION,
    osFeatures: ['win32k'],
    isOsImage: dependency === undefined,
    createdTime: CREATED,
    dependencies: dependency === undefined ? [] : [parseFullName(dependency)],
  }
}

/** A repository as the inbox stack would keep it: an OS package and two that depend on it, one on the other. */
async function writeRepository(folder: string): Promise<void> {
  const os = `CN=Microsoft_WindowsServerCore_${VERSION}`
  const web = 'CN=Contoso_WebServer_1.0.0.0'
  const destination = await inbox.create(inbox.parse(folder), {})
  if (destination.holds !== 'packages') throw new TypeError('a repository holds packages')
  const packages = [
    metadata(os, 'Windows Server Core'),
    metadata(web, 'Web server', os),
    metadata('CN=Contoso_Shop_1.2.0.0', 'Contoso Shop', web),
  ]
  for (const [index, facts] of packages.entries()) {
    const layer = LAYERS[index]
    if (layer?.form === undefined) continue
    await destination.write({metadata: facts, form: layer.form, layer, keepRecipe: false}, {})
  }
  await destination.commit({})
}

const [target = 'samples'] = process.argv.slice(2)
mkdirSync(target, {recursive: true})
rmSync(path.join(target, 'repository'), {recursive: true, force: true})
await writeArchive(path.join(target, 'shop.tar'))
await writeRepository(path.join(target, 'repository'))
