// Runs before the page is drawn, so that a chosen theme does not flash. Without a choice the system decides.
document.documentElement.dataset.theme = 'auto';
try {
  document.documentElement.dataset.theme = localStorage.getItem('switchboard.theme') ?? 'auto';
} catch {
  // A browser may let a page remember nothing.
}
