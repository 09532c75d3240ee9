// Conveniences of every page; without this file all of it still works by links and forms.

const navigation = document.querySelector('.documents')
const contents = document.querySelector('.contents')

// The document that is open, in sight in a long list.
const current = navigation?.querySelector('[aria-current]')
if (navigation && current) {
  navigation.scrollTop = current.offsetTop - navigation.clientHeight / 2
}

// "/" goes to the search field.
document.addEventListener('keydown', event => {
  const typing = event.target instanceof HTMLElement && event.target.closest('input, select, textarea')
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  document.querySelector('.search-form input')?.focus()
})

if (contents) {
  const links = new Map(
    [...contents.querySelectorAll('a')].map(link => [decodeURIComponent(link.hash.slice(1)), link]),
  )
  const headings = [...document.querySelectorAll('.prose :is(h2, h3)')].filter(({ id }) => links.has(id))

  // The section that is being read: the last heading above the upper third of the window.
  let marked
  const mark = () => {
    const line = innerHeight / 3
    const heading = headings.findLast(element => element.getBoundingClientRect().top < line) ?? headings[0]
    const link = links.get(heading?.id)
    if (link === marked) return
    marked?.removeAttribute('aria-current')
    link?.setAttribute('aria-current', 'location')
    marked = link
    if (!link || !contents.checkVisibility()) return
    const { offsetTop } = link
    if (offsetTop < contents.scrollTop || offsetTop > contents.scrollTop + contents.clientHeight - 60) {
      contents.scrollTop = offsetTop - contents.clientHeight / 2
    }
  }
  let waiting = false
  const markSoon = () => {
    if (waiting) return
    waiting = true
    requestAnimationFrame(() => {
      waiting = false
      mark()
    })
  }
  addEventListener('scroll', markSoon, { passive: true })
  addEventListener('resize', markSoon, { passive: true })
  mark()

  // On a narrow screen the list covers the page: going somewhere closes it.
  contents.addEventListener('click', event => {
    if (event.target.closest('a') && contents.matches(':popover-open')) contents.hidePopover()
  })
}
