import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import path from 'node:path'
import {pathToFileURL} from 'node:url'
import {failureOf} from '../../src/batch/item-failure.js'
import {UsageError} from '../../src/model/errors.js'
import {renderHtml} from '../../src/report/render-html.js'
import {reportRefusal} from '../../src/report/report-conversion.js'
import {HOSTILE_NAMES, hostileReport, largeReport} from '../helpers/batch-reports.js'
import {Browser, type Page, type View} from '../helpers/browser.js'
import {realReport} from '../helpers/real-report.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool} from '../helpers/tools.js'

const WIDTHS = [1280, 390]
const SCHEMES = ['light', 'dark'] as const
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Keep the pictures there instead of throwing them away. */
const KEPT = process.env['REPORT_SCREENSHOTS']

/** Widths of the page and of the window that it is in. */
const OVERFLOW = '[document.documentElement.scrollWidth, innerWidth]'

/** Texts of the drawings that leave their box or lie on the text below, and texts of the page that are cut off. */
const CLIPPED = `(() => {
  const faults = []
  const visible = (element) => element.closest('details:not([open])') === null && element.getClientRects().length > 0
  for (const group of document.querySelectorAll('.graph .node, .map .cell')) {
    if (!visible(group)) continue
    const box = group.querySelector('rect:not(.behind)').getBoundingClientRect()
    let above = -Infinity
    for (const text of group.querySelectorAll('text')) {
      const {left, right, top, bottom} = text.getBoundingClientRect()
      if (left < box.left || right > box.right + 0.5 || top < box.top - 2 || bottom > box.bottom + 2)
        faults.push('leaves its box: ' + text.textContent)
      if (top < above - 4) faults.push('lies on another: ' + text.textContent)
      above = bottom
    }
  }
  for (const element of document.querySelectorAll('h1, h2, h3, p, dd, td, th, .state, summary, label')) {
    if (!visible(element) || element.closest('.scroll thead') !== null && innerWidth < 620) continue
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && getComputedStyle(element).display !== 'inline')
      faults.push('is cut off: ' + element.tagName + ' ' + element.textContent.slice(0, 80))
  }
  return faults.slice(0, 10)
})()`

const COLOURS = `(() => {
  const light = (element) => getComputedStyle(element).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3
  return [light(document.body), light(document.querySelector('section'))]
})()`

const TAB_STOPS = `(() => {
  const active = document.activeElement
  return active.id || active.closest('[id]')?.id || active.tagName
})()`

describe('report in a browser', () => {
  const folder = temporaryFolder()
  const urls = new Map<string, string>()
  let browser: Browser

  before(async function () {
    this.timeout(120_000)
    browser = new Browser(requireTool(this, 'chromium'))
    const pages = {
      '3 items': await realReport(path.join(folder.path, 'made')),
      '500 items': largeReport(500),
      'one item': largeReport(1),
      '80 items': largeReport(80),
      'a refusal': reportRefusal({
        title: 'plan.yaml',
        startedTime: '2026-11-25T00:00:00.000Z',
        seconds: 0.1,
        failure: failureOf(
          new UsageError('PLAN_INVALID', {what: "'optoins' is not a known key here.", suggestions: ['Write options.']}),
        ),
      }),
    }
    for (const [name, report] of Object.entries(pages)) urls.set(name, store(name, renderHtml(report)))
  })

  after(async () => {
    // Absent where there is no browser to start.
    await (browser as Browser | undefined)?.close()
  })

  function store(name: string, html: string): string {
    const file = path.join(folder.path, `${name.replaceAll(' ', '-')}.html`)
    writeFileSync(file, html)
    return pathToFileURL(file).href
  }

  async function look(name: string, view: View, check: (page: Page) => Promise<void>): Promise<void> {
    const url = urls.get(name) ?? ''
    const page = await browser.open(url, view)
    try {
      await check(page)
      assert.deepEqual(page.messages, [])
      assert.deepEqual(page.requests, [url])
    } finally {
      await page.close()
    }
  }

  for (const name of ['3 items', '500 items', 'one item'])
    for (const width of WIDTHS)
      for (const scheme of SCHEMES) {
        it(`shows ${name} at ${width} pixels in ${scheme} colours: whole, silent, from one file`, async () => {
          await look(name, {width, height: 900, scheme}, async (page) => {
            const [content = 0, window = 0] = (await page.evaluate(OVERFLOW)) as number[]
            assert.ok(content <= window, `${content} pixels wide in ${window}`)
            assert.deepEqual(await page.evaluate(CLIPPED), [])
            const [ground = 0, surface = 0] = (await page.evaluate(COLOURS)) as number[]
            if (scheme === 'light') assert.ok(ground > 225 && surface > 225, `${ground} ${surface}`)
            else assert.ok(ground < 45 && surface < 45, `${ground} ${surface}`)
            const picture = await page.screenshot(4000)
            assert.deepEqual([...picture.subarray(1, 4)], [...Buffer.from('PNG')])
            assert.ok(picture.byteLength > 20_000, 'the picture is empty')
            if (KEPT !== undefined) writeFileSync(path.join(KEPT, `${name}-${width}-${scheme}.png`), picture)
          })
        })
      }

  for (const name of ['3 items', '80 items', 'a refusal'])
    for (const scheme of SCHEMES)
      for (const width of WIDTHS) {
        it(`has no fault that axe finds, with ${name} at ${width} pixels in ${scheme} colours`, async () => {
          await look(name, {width, height: 900, scheme}, async (page) => {
            // Of many items those of each state are opened: the others look like them.
            await page.evaluate(
              "for (const state of ['failed', 'blocked']) document.querySelector('details.item.' + state)?.setAttribute('open', '')",
            )
            await page.evaluate(AXE)
            const run = "axe.run({exclude: ['details.item:not([open])']}, {resultTypes: ['violations']})"
            const told = `${run}.then(({violations}) => violations.map(({id, nodes}) => id + ': ' + nodes.slice(0, 3).map(({html, failureSummary}) => html.slice(0, 150) + failureSummary).join(' | ')))`
            assert.deepEqual(await page.evaluate(told), [])
          })
        })
      }

  it('is reached by keyboard: skip link, sections, filter, headings, items', async () => {
    await look('3 items', {width: 1280, height: 900, scheme: 'light'}, async (page) => {
      const stops: string[] = []
      for (let count = 0; count < 40; count++) {
        await page.press('Tab')
        stops.push(String(await page.evaluate(TAB_STOPS)))
      }
      const order = ['filter-text', 'filter-state', 'items-table', 'item-1', 'item-2', 'item-3'].map((id) =>
        stops.indexOf(id),
      )
      assert.ok(
        order.every((place) => place >= 0),
        stops.join(' '),
      )
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
      assert.notEqual(outline, 'none', 'the focus cannot be seen')
    })
    await look('3 items', {width: 1280, height: 900, scheme: 'light'}, async (page) => {
      await page.press('Tab')
      assert.ok(Number(await page.evaluate('document.activeElement.getBoundingClientRect().top')) >= 0)
      await page.press('Enter', '\r')
      assert.equal(await page.evaluate('document.activeElement.id'), 'main')
    })
  })

  it('filters by text and state, says how many are left, and sorts', async () => {
    const report = largeReport(500)
    const shown =
      "[...document.querySelectorAll('#items-table tbody tr')].filter((row) => row.getClientRects().length > 0)"
    const ids = `${shown}.map((row) => row.cells[0].textContent)`
    const count = "document.getElementById('filter-count').textContent"
    await look('500 items', {width: 1280, height: 900, scheme: 'light'}, async (page) => {
      await page.evaluate("document.getElementById('filter-state').focus()")
      await page.evaluate(
        "(() => { const list = document.getElementById('filter-state'); list.value = 'failed'; list.dispatchEvent(new Event('input', {bubbles: true})) })()",
      )
      const failed = report.items.filter(({state}) => state === 'failed').map(({id}) => id)
      assert.deepEqual(await page.evaluate(ids), failed)
      assert.equal(await page.evaluate(count), `${failed.length} of 500 shown`)
      await page.evaluate("document.getElementById('filter-text').focus()")
      await page.type('TAILSPIN ledger')
      const wanted = failed.filter((id) => id.includes('tailspin') && id.includes('ledger'))
      assert.deepEqual(await page.evaluate(ids), wanted)
      await page.type(' nothing of the kind')
      assert.equal(await page.evaluate("document.getElementById('filter-empty').hidden"), false)
    })
    await look('500 items', {width: 1280, height: 900, scheme: 'light'}, async (page) => {
      const click = "document.querySelector('[data-sort=written] button').click()"
      const written = `${shown}.map((row) => Number(row.cells[6].dataset.value))`
      await page.evaluate(click)
      const ascending = (await page.evaluate(written)) as number[]
      assert.deepEqual(
        ascending,
        ascending.toSorted((a, b) => a - b),
      )
      await page.evaluate(click)
      assert.deepEqual(await page.evaluate(written), ascending.toReversed())
      await page.evaluate(click)
      assert.deepEqual(
        await page.evaluate(ids),
        report.items.map(({id}) => id),
      )
    })
  })

  it('opens the details that a link leads to', async () => {
    await look('500 items', {width: 1280, height: 900, scheme: 'light'}, async (page) => {
      await page.evaluate("document.querySelector('#items-table tbody tr:nth-child(300) a').click()")
      await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))')
      const place = await page.evaluate(
        "(() => { const item = document.getElementById('item-300'); return [item.open, Math.round(item.getBoundingClientRect().top)] })()",
      )
      const [isOpen, top] = place as [boolean, number]
      assert.ok(isOpen && top >= -1 && top < 200, String(place))
    })
  })

  for (const name of HOSTILE_NAMES) {
    it(`runs nothing of ${JSON.stringify(name)}`, async () => {
      urls.set('hostile', store('hostile', renderHtml(hostileReport(name))))
      await look('hostile', {width: 390, height: 900, scheme: 'light'}, async (page) => {
        assert.equal(await page.evaluate("document.querySelectorAll('script').length"), 1)
        assert.equal(await page.evaluate("document.querySelectorAll('img, [onmouseover], [onload]').length"), 0)
        const [content = 0, window = 0] = (await page.evaluate(OVERFLOW)) as number[]
        assert.ok(content <= window)
      })
    })
  }

  it('prints with everything open, and nothing that only works on a screen', async () => {
    await look('3 items', {width: 1280, height: 900, scheme: 'dark'}, async (page) => {
      const {data} = await page.send('Page.printToPDF', {printBackground: false})
      assert.equal(Buffer.from(String(data), 'base64').subarray(0, 5).toString(), '%PDF-')
      if (KEPT !== undefined) writeFileSync(path.join(KEPT, 'printed.pdf'), Buffer.from(String(data), 'base64'))
      await page.send('Emulation.setEmulatedMedia', {media: 'print'})
      assert.equal(await page.evaluate("getComputedStyle(document.getElementById('filter')).display"), 'none')
    })
  })
})
