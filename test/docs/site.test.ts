import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {createServer, type Server} from 'node:http'
import {createRequire} from 'node:module'
import type {AddressInfo} from 'node:net'
import path from 'node:path'
import {once} from 'node:events'
import {Browser} from '../helpers/browser.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool} from '../helpers/tools.js'

/** Keep the pictures there instead of throwing them away. */
const KEPT = process.env['SITE_SCREENSHOTS']
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
}
const SOURCES = /^https:\/\/github\.com\/transship\/transship\/blob\/main\/(.+)$/

describe('the site', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  let pages: ReadonlyMap<string, string>

  before(() => {
    const program = createRequire(import.meta.url)
      .resolve('vitepress/package.json')
      .replace('package.json', 'bin/vitepress.js')
    const {NODE_ENV: _, ...env} = process.env
    const args = [program, 'build', 'docs', '--outDir', folder.path]
    // VitePress itself fails for links to pages that do not exist.
    const {status, stdout, stderr} = spawnSync(process.execPath, args, {cwd: PROJECT, env, encoding: 'utf8'})
    assert.equal(status, 0, stdout + stderr)
    const names = readdirSync(folder.path, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.html'))
    pages = new Map(names.sort().map((name) => [name, readFileSync(path.join(folder.path, name), 'utf8')]))
  })

  it('has a page for every document, each in the sidebar', () => {
    const documents = readdirSync(path.join(PROJECT, 'docs'), {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.md') && !name.startsWith('.'))
      .map((name) => name.replace(/\.md$/, '.html'))
    const start = pages.get('guide/quick-start.html') ?? ''
    for (const name of documents) {
      assert.ok(pages.has(name), name)
      if (name !== 'index.html') assert.ok(start.includes(`href="/${name.replace(/index\.html$/, '')}"`), name)
    }
  })

  it('has no link to a page, a section or a source that does not exist', () => {
    let count = 0
    for (const [name, html] of pages) {
      const [, content = ''] = /<main[^>]*>([^]*)<\/main>/.exec(html) ?? []
      for (const [, href = ''] of content.matchAll(/<a[^>]* href="([^"]*)"/g)) {
        count++
        const [, source] = SOURCES.exec(href) ?? []
        if (source !== undefined) assert.ok(existsSync(path.join(PROJECT, decodeURI(source))), `${name}: ${href}`)
        else if (!/^[a-z]+:/.test(href)) assert.ok(resolves(name, href), `${name}: ${href}`)
      }
    }
    assert.ok(count > 300, String(count))
  })

  function resolves(name: string, href: string): boolean {
    const {pathname, hash} = new URL(href, `http://x/${name}`)
    const page = pages.get(`${pathname.slice(1)}${pathname.endsWith('/') ? 'index.html' : ''}`)
    const id = decodeURIComponent(hash.slice(1))
    return page !== undefined && (id === '' || page.includes(` id="${id}"`))
  }

  it('has a page for every export of the library, each explained', () => {
    const program = path.join(PROJECT, 'node_modules', 'typedoc', 'bin', 'typedoc')
    const out = path.join(folder.path, 'api')
    const run = spawnSync(process.execPath, [program, '--out', out], {cwd: PROJECT, encoding: 'utf8'})
    // Its settings take warnings, such as an export without a comment, for errors.
    assert.equal(run.status, 0, run.stdout + run.stderr)
    for (const name of ['functions/index.convert', 'classes/index.TransshipError', 'modules/library_registry-hive'])
      assert.ok(existsSync(path.join(out, `${name}.html`)), name)
  })

  it('shows braces and angles as they are written', () => {
    assert.match(pages.get('cli/list.html') ?? '', /\{\{\.Reference\}\}/)
    for (const [name, html] of pages) assert.ok(!/(?:undefined|\[object Object\])<\/code>/.test(html), name)
  })

  it('fits 390 and 1280 pixels, loads nothing from elsewhere, and finds words', async function () {
    const chromium = requireTool(this, 'chromium')
    const server = await serve(folder.path)
    const browser = new Browser(chromium)
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      for (const width of [390, 1280])
        for (const name of ['index', 'guide/docker-to-inbox', 'cli/convert', 'errors']) {
          const page = await browser.open(`${origin}/${name}.html`, {width, height: 900, scheme: 'light'})
          const [content, window] = (await page.evaluate(
            '[document.documentElement.scrollWidth, innerWidth]',
          )) as number[]
          assert.ok((content ?? 0) <= (window ?? 0), `${name} is ${String(content)} wide at ${String(width)}`)
          if (KEPT !== undefined)
            writeFileSync(path.join(KEPT, `${name.replaceAll('/', '-')}-${String(width)}.png`), await page.screenshot())
          for (const request of page.requests)
            assert.ok(/^(?:http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request), request)
          assert.deepEqual(
            page.messages.filter((message) => /exception|"error"/i.test(message)),
            [],
            name,
          )
          await page.close()
        }
      const page = await browser.open(`${origin}/guide/faq.html`, {width: 1280, height: 900, scheme: 'light'})
      // The button works once the page's script has taken it over.
      await page.evaluate(`(async () => {
        for (let tries = 0; tries < 200 && document.querySelector('.search-input') === null; tries++) {
          document.querySelector('.VPNavBarSearch button')?.click()
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
        document.querySelector('.search-input').focus()
      })()`)
      await page.type('foreign layer')
      const found = await page.evaluate(`(async () => {
        for (let tries = 0; tries < 200; tries++) {
          const results = [...document.querySelectorAll('.results .result')]
          if (results.length > 0) return results.map((result) => result.textContent)
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
        return []
      })()`)
      assert.ok(
        (found as string[]).some((text) => /foreign/i.test(text)),
        JSON.stringify(found),
      )
    } finally {
      await browser.close()
      server.closeAllConnections()
      server.close()
    }
  })
})

/** Serves the files of a folder on this host. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url ?? '/', 'http://x')
    const file = path.join(folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname)
    if (!existsSync(file)) response.writeHead(404).end()
    else
      response
        .writeHead(200, {'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream'})
        .end(readFileSync(file))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
