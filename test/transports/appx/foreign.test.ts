import assert from 'node:assert/strict'
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {encodePackage, partOf, type AppxPart} from '../../../src/codecs/appx/encode-package.js'
import {convert, files, inspect, TransshipError, verify} from '../../../src/index.js'
import {collect} from '../../helpers/bytes.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {treeOf} from '../../helpers/trees.js'

const WEB = 'samples/repository/CN=Contoso_WebServer_1.0.0.0'
const WINDOWS_8 = `<?xml version="1.0" encoding="utf-8"?>
<Package xmlns="http://schemas.microsoft.com/appx/2010/manifest">
  <Identity Name="WebServer" Publisher="CN=Contoso" Version="1.0.0.0" ProcessorArchitecture="x64"/>
  <Properties><DisplayName>Web &amp; more</DisplayName><PublisherDisplayName>Contoso</PublisherDisplayName><Logo>logo.png</Logo></Properties>
  <Resources><Resource Language="en-us"/></Resources>
  <Prerequisites><OSMinVersion>6.3.0</OSMinVersion><OSMaxVersionTested>6.3.0</OSMaxVersionTested></Prerequisites>
  <Dependencies><PackageDependency Name="WindowsServerCore" Publisher="CN=Microsoft" MinVersion="10.0.14393.206"/></Dependencies>
</Package>`
const OTHER_ELEMENT = `<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10" xmlns:c="urn:some:containers">
  <Identity Name="WebServer" Publisher="CN=Contoso" Version="1.0.0.0"/>
  <Dependencies><TargetDeviceFamily Name="Windows.Server" MinVersion="10.0.14300.1000" MaxVersionTested="10.0.14300.1000"/></Dependencies>
  <c:Image ParentImage="CN=Microsoft_WindowsServerCore_10.0.14393.206"/>
</Package>`

const isPayload = (name: string) => /^(Files|Hives|tombstones)/.test(name)

/** The payload of the sample, in a folder of the container. */
function payload(folder: string): AppxPart[] {
  return Object.entries(treeOf(WEB))
    .filter(([name, content]) => content !== 'folder' && isPayload(name))
    .map(([name, content]) => partOf(`${folder}${name}`, Buffer.from(content, 'base64')))
}

describe('packages that transship did not write', () => {
  const folder = temporaryFolder()

  async function written(name: string, manifest: string, parts: readonly AppxPart[]): Promise<string> {
    const file = path.join(folder.path, name)
    mkdirSync(path.dirname(file), {recursive: true})
    writeFileSync(file, await collect(encodePackage(parts, {manifest: () => Buffer.from(manifest)})))
    return `appx:${file}`
  }

  for (const {title, root, manifest} of [
    {title: 'with a manifest of Windows 8', root: '', manifest: WINDOWS_8},
    {title: 'with the parent in an element of some other kind', root: '', manifest: OTHER_ELEMENT},
    {title: 'with the payload deep inside', root: 'Payload/Layer/', manifest: WINDOWS_8},
  ])
    it(`are read ${title}`, async () => {
      const unused = root === '' ? [] : [partOf('x/logo.png', Buffer.of(1))]
      const reference = await written(`${title}/foreign.appx`, manifest, [...payload(root), ...unused])
      const {names, layers, warnings} = await inspect(reference)
      assert.deepEqual(names, ['CN=Contoso_WebServer_1.0.0.0'])
      assert.deepEqual(
        layers.map((layer) => `${layer.title} ${layer.hasContent}`),
        ['CN=Microsoft_WindowsServerCore_10.0.14393.206 false', 'CN=Contoso_WebServer_1.0.0.0 true'],
      )
      assert.deepEqual(
        warnings.map(({code}) => code),
        unused.map(() => 'not-payload'),
      )
      const found = (await verify(reference)).faults.map(({code}) => code)
      assert.deepEqual(found, ['DEPENDENCY_MISSING'])
      const to = path.join(folder.path, title, 'packages')
      await convert(reference, `inbox:${to}`, {bases: ['inbox:samples/repository:WindowsServerCore'], layers: 'chain'})
      const [there, original] = [treeOf(path.join(to, 'CN=Contoso_WebServer_1.0.0.0')), treeOf(WEB)]
      for (const name of Object.keys(original)) if (isPayload(name)) assert.equal(there[name], original[name], name)
    })

  it('are read with plain files in the place of carriers', async () => {
    const plain = [
      partOf('Files/Windows/a.txt', Buffer.from('plain text')),
      partOf('Hives/System_Delta', readFileSync(`${WEB}/Hives/System_Delta`)),
    ]
    const reference = await written('plain/x.appx', WINDOWS_8, plain)
    const {entries} = await files(reference, undefined, {layer: 1})
    assert.ok(JSON.stringify(entries).includes('Files/Windows/a.txt'))
  })

  it('are refused when they hold no container payload', async () => {
    const reference = await written('app/x.appx', WINDOWS_8, [partOf('app.exe', Buffer.of(1))])
    await assert.rejects(
      inspect(reference),
      (error) => error instanceof TransshipError && error.code === 'UNRECOGNISED_FORMAT',
    )
  })

  it('are called by the name of their file when the manifest names none', async () => {
    const nameless = WINDOWS_8.replace(/<Identity [^>]*>/, '')
    const reference = await written('named/CN=Contoso_WebServer_1.0.0.0.appx', nameless, payload(''))
    assert.deepEqual((await inspect(reference)).names, ['CN=Contoso_WebServer_1.0.0.0'])
  })
})
