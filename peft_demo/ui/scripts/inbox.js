// What is pasted or dropped anywhere on the tab Classify goes to its upload button: one picture,
// several, a folder with all its folders, or a zip.
() => {
  const isOpen = () => document.querySelector("#image")?.checkVisibility()

  // Gives files to the upload button in the element; `film.js` uses it too.
  window.giveFiles = (element, files) => {
    if (!files.length) return
    const list = new DataTransfer()
    for (const file of files) list.items.add(file)
    const input = document.querySelector(`${element} input[type=file]`)
    input.files = list.files
    input.dispatchEvent(new Event("change", {bubbles: true}))
  }

  const filesIn = async (entry) => {
    if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))]
    const reader = entry.createReader()
    const entries = []
    for (;;) { // a hundred at a time
      const some = await new Promise((done, failed) => reader.readEntries(done, failed))
      if (!some.length) break
      entries.push(...some)
    }
    const shown = entries.filter((inside) => !inside.name.startsWith("."))
    return (await Promise.all(shown.map(filesIn))).flat()
  }

  const dropped = async (transfer) => {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.())
    const files = [...transfer.files]
    if (!entries.some((entry) => entry?.isDirectory)) return files
    return (await Promise.all(entries.filter(Boolean).map(filesIn))).flat()
  }

  const types = (event) => [...(event.dataTransfer?.types ?? [])]

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])]
    const isTyping = event.target.closest?.("input, textarea, [contenteditable]")
    if (!isOpen() || isTyping || !files.length) return
    event.preventDefault()
    event.stopPropagation()
    giveFiles("#inbox", files)
  }, true)

  document.addEventListener("dragover", (event) => {
    if (isOpen() && types(event).includes("Files")) event.preventDefault()
  }, true)

  document.addEventListener("drop", async (event) => {
    if (!isOpen() || !types(event).includes("Files")) return
    event.preventDefault()
    event.stopPropagation()
    giveFiles("#inbox", await dropped(event.dataTransfer))
  }, true)
}
