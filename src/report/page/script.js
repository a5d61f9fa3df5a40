'use strict'
// Comfort only: without it the page shows everything, in the order of the plan.
const rows = [...document.querySelectorAll('#items-table tbody tr')]
const detailsOf = (row) => document.getElementById(`item-${Number(row.dataset.index) + 1}`)

// A link to details opens them.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (target?.tagName !== 'DETAILS') return
  target.open = true
  target.hidden = false
  target.scrollIntoView()
}
addEventListener('hashchange', openTarget)
openTarget()

// Only what scrolls needs a stop for the keyboard. What is closed is not measured: that would lay all of it out.
const measured = [...document.querySelectorAll('.scroll')]
function stopAtScrolling() {
  const regions = measured.filter((region) => region.closest('details:not([open])') === null)
  const wide = regions.map((region) => region.scrollWidth > region.clientWidth)
  regions.forEach((region, index) => {
    if (wide[index]) region.tabIndex = 0
    else region.removeAttribute('tabindex')
  })
}
addEventListener('resize', stopAtScrolling)
addEventListener('toggle', stopAtScrolling, true)
stopAtScrolling()

const form = document.getElementById('filter')
if (form !== null) {
  const text = document.getElementById('filter-text')
  const state = document.getElementById('filter-state')
  const count = document.getElementById('filter-count')
  const empty = document.getElementById('filter-empty')
  const known = rows.map((row) => ({
    row,
    details: detailsOf(row),
    text: row.textContent.toLowerCase(),
    tags: new Set([
      row.dataset.state,
      row.querySelector('[data-lossy]') === null ? '' : 'lossy',
      row.querySelector('.exact.no') === null ? '' : 'inexact',
    ]),
  }))
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/)
    let shown = 0
    for (const item of known) {
      const isShown =
        (state.value === '' || item.tags.has(state.value)) && words.every((word) => item.text.includes(word))
      item.row.hidden = !isShown
      if (item.details !== null) item.details.hidden = !isShown
      if (isShown) shown++
    }
    count.textContent = `${shown} of ${known.length} shown`
    empty.hidden = shown > 0
  }
  form.addEventListener('input', filter)
  form.addEventListener('submit', (event) => event.preventDefault())
  form.hidden = false
  filter()
}

// Headings sort: up, down, and back to the order of the plan.
const headings = [...document.querySelectorAll('#items-table th[data-sort]')]
const compare = new Intl.Collator('en', {numeric: true}).compare
headings.forEach((heading, column) => {
  const button = document.createElement('button')
  button.type = 'button'
  button.append(...heading.childNodes)
  heading.append(button)
  button.addEventListener('click', () => {
    const next = {none: 'ascending', ascending: 'descending', descending: 'none'}
    const order = next[heading.getAttribute('aria-sort') ?? 'none']
    for (const other of headings) other.removeAttribute('aria-sort')
    if (order !== 'none') heading.setAttribute('aria-sort', order)
    const ofRows = (a, b) => {
      const [left, right] = [a.cells[column], b.cells[column]]
      const byText = compare(left.textContent, right.textContent)
      return left.dataset.value === undefined ? byText : left.dataset.value - right.dataset.value
    }
    const sorted = order === 'none' ? [...rows] : [...rows].sort(ofRows)
    if (order === 'descending') sorted.reverse()
    document.querySelector('#items-table tbody').append(...sorted)
  })
})

// A short report is printed with everything in it.
if (document.body.classList.contains('is-small')) {
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('details')) details.open = true
  })
}
