import assert from 'node:assert/strict'
import {files} from '../../src/convert/files.js'
import {readHive} from '../../src/convert/hive.js'
import {splitTypedKey} from '../../src/convert/typed-key.js'
import {foldTypedPath, parseTypedPath} from '../../src/convert/typed-path.js'
import {foldPath, type LayerPath} from '../../src/model/layer-path.js'

describe('places as users type them', () => {
  for (const [typed, path] of [
    [undefined, ''],
    ['/', ''],
    ['Files/Shop', 'Files/Shop'],
    ['\\Files\\Shop\\', 'Files/Shop'],
    ['/Hives/System_Base', 'Hives/System_Base'],
    ['C:', 'Files'],
    ['c:\\', 'Files'],
    ['C:\\Shop', 'Files/Shop'],
    ['C:/Shop/', 'Files/Shop'],
    ['C:\\Files\\x', 'Files/Files/x'],
    ['\\Shop', 'Files/Shop'],
    ['/shop/web.config', 'Files/shop/web.config'],
  ] as const)
    it(`reads ${String(typed)} as '${path}'`, () => {
      assert.equal(foldTypedPath(typed), foldPath(path))
    })

  it('shows the same files by each', async () => {
    const [first, ...others] = await Promise.all(
      ['Files/Shop', 'C:\\Shop', '\\Shop', 'c:/shop/'].map((path) => files('docker-archive:samples/shop.tar', path)),
    )
    assert.ok((first?.entries.length ?? 0) > 1)
    for (const other of others) assert.deepEqual(other.entries, first?.entries)
  })

  for (const {typed, fits, not} of [
    {
      typed: 'C:\\Shop\\*.txt',
      fits: ['Files/Shop/a.txt', 'files/shop/B.TXT'],
      not: ['Files/Shop/x/a.txt', 'Files/Shop'],
    },
    {typed: 'Files/**/*.dll', fits: ['Files/a.dll', 'Files/x/y/z.dll'], not: ['Hives/a.dll', 'Files/a.dllx']},
    {typed: 'Files/S*', fits: ['Files/Shop', 'Files/Shop/x/a.txt', 'Files/s'], not: ['Files/xS']},
    {typed: '**', fits: ['Files', 'Hives/Software_Delta'], not: []},
    {typed: 'Hives/????????_Delta', fits: ['Hives/Software_Delta'], not: ['Hives/System_Delta']},
    {typed: 'Files/a(b)[1]{2}+$.t?t', fits: ['Files/a(b)[1]{2}+$.txt'], not: ['Files/ab1.txt']},
    {typed: 'Files/Shop', fits: ['Files/Shop', 'Files/Shop/x'], not: ['Files/Shopping']},
    {typed: '*', fits: ['Files', 'Files/x'], not: []},
    {typed: '*.exe', fits: ['a.exe', 'Files/a.exe', 'Files/x/y/B.EXE'], not: ['Files/a.exe.config', 'Files/exe']},
    {typed: 'C:*.exe', fits: ['Files/a.exe'], not: ['Hives/a.exe', 'Files/x/a.exe']},
    {typed: '\\*.exe', fits: ['Files/a.exe'], not: ['Files/x/a.exe']},
    {typed: '\\**\\web.config', fits: ['Files/web.config', 'Files/x/web.config'], not: ['Hives/web.config']},
  ])
    it(`takes ${typed} for what it fits`, () => {
      const wanted = parseTypedPath(typed)
      const fitting = [...fits, ...not].filter((path) => wanted.fits(path as LayerPath))
      assert.deepEqual(fitting, fits)
    })

  it('lists what a glob fits, and tells when that is nothing', async () => {
    const all = await files('docker-archive:samples/shop.tar', 'C:\\**\\*.htm*')
    assert.ok(all.entries.length > 0)
    assert.ok(all.entries.every(({path}) => /^Files\/.*\.htm[^/]*$/.test(path)))
    await assert.rejects(files('docker-archive:samples/shop.tar', 'C:\\**\\*.nothing'), {
      code: 'NOT_FOUND',
      message: /fits 'C:/,
    })
  })

  it('refuses another drive', () => {
    assert.throws(() => foldTypedPath('D:\\Shop'), {code: 'BAD_OPTION', message: /drive D:/})
  })

  const MACHINE = 'HKEY_LOCAL_MACHINE'
  for (const [typed, names] of [
    [undefined, []],
    ['HKLM', [MACHINE]],
    ['HKLM:\\', [MACHINE]],
    ['hklm:\\SOFTWARE\\X', [MACHINE, 'SOFTWARE', 'X']],
    ['\\HKEY_LOCAL_MACHINE\\SYSTEM\\', [MACHINE, 'SYSTEM']],
    ['Registry::HKEY_LOCAL_MACHINE\\SYSTEM', [MACHINE, 'SYSTEM']],
    ['Microsoft.PowerShell.Core\\Registry::HKLM\\SYSTEM', [MACHINE, 'SYSTEM']],
    ['Computer\\HKEY_USERS\\.DEFAULT', ['HKEY_USERS', '.DEFAULT']],
    ['HKCR\\.txt', [MACHINE, 'SOFTWARE', 'Classes', '.txt']],
    ['HKEY_CLASSES_ROOT', [MACHINE, 'SOFTWARE', 'Classes']],
    ['HKCU:\\Software', ['HKEY_USERS', '.DEFAULT', 'Software']],
    ['Microsoft\\Windows NT', ['Microsoft', 'Windows NT']],
  ] as const)
    it(`reads the key ${String(typed)} as ${names.join('\\')}`, () => {
      assert.deepEqual(splitTypedKey(typed), names)
    })

  it('follows CurrentControlSet where the hive says which one is current', async () => {
    const shop = 'docker-archive:samples/shop.tar'
    const [direct, linked] = await Promise.all(
      ['HKLM\\SYSTEM\\ControlSet001', 'HKLM:\\SYSTEM\\CurrentControlSet'].map((key) => readHive(shop, key)),
    )
    assert.ok((direct?.keys.length ?? 0) > 1)
    assert.deepEqual(linked?.keys, direct?.keys)
  })
})
