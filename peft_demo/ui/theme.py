"""The look: system fonts, slate and one accent. Nothing is fetched from anywhere."""

from gradio.themes import Base, Default

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> Base:
    """Slate surfaces, teal accent."""
    look = Default(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="slate",
        font=FONT,
        font_mono=MONO,
        radius_size="md",
    )
    return look.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_shadow="none",
        block_shadow_dark="none",
        block_title_text_weight="500",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        input_background_fill="white",
        # What follows is read at 4.5 : 1 at least on the surfaces above (WCAG 2.2, 1.4.3).
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_600",
        block_title_text_color_dark="*neutral_200",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_200",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        color_accent="*primary_700",
        color_accent_soft="*primary_100",
        color_accent_soft_dark="*primary_900",
    )


CSS = """
.dark {--color-accent: var(--primary-400)}
.gradio-container {max-width: 1280px !important; width: 100% !important; margin: 0 auto !important}
.gradio-container .secondary-wrap input {text-overflow: ellipsis; padding-right: 1.8em}
.gradio-container [role=gridcell], .gradio-container [role=columnheader] {font-family: var(--font)}
#progress, #progress > * {padding: 0 !important; border: 0}
.gradio-container .prose h2 {margin-top: 0.2em; font-size: var(--text-xl)}
.gradio-container .prose :is(p, ul, ol) + h2 {margin-top: 1.2em}
.gradio-container pre .token.comment {color: var(--body-text-color-subdued) !important}
.gradio-container pre .token.string {color: var(--link-text-color) !important}
#report {overflow: visible !important} /* a table scrolls by itself */
.gradio-container .prose table {border: 0 !important; width: 100%; display: block; overflow-x: auto}
.gradio-container .prose tr {border: 0 !important}
.gradio-container .prose :is(th, td) {word-break: normal; border: 0;
  border-bottom: 1px solid var(--border-color-primary); padding: 6px 12px 6px 0;
  vertical-align: top}
.gradio-container .prose :is(th, td:first-child) {white-space: nowrap; overflow-wrap: normal}
.gradio-container .prose td {min-width: 7em}
#scatter {overflow-x: auto}
#scatter svg {width: 100%; min-width: 620px; height: auto; display: block;
  background: var(--block-background-fill);
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-md)}
#scatter text {font-size: 12px; fill: var(--body-text-color-subdued)}
#scatter line {stroke: var(--border-color-primary)}
#scatter polyline {fill: none; stroke: var(--color-accent); stroke-width: 1.5}
#scatter .point {cursor: pointer; fill: var(--body-text-color-subdued)}
#scatter .best.point {fill: var(--color-accent)}
#scatter .best text {fill: var(--body-text-color); font-weight: 600}
#scatter .reach {fill: transparent; stroke: none}
#scatter .point:is(:hover, :focus-visible) .reach {stroke: var(--color-accent)}
#scatter .point:focus {outline: none}
#card thead {display: none}
#card td {overflow-wrap: anywhere}
#card td:first-child {opacity: 0.7; min-width: 0}
#previews .grid-wrap {padding-top: 34px}
#image video {transform: scaleX(-1)} /* a mirror while filming; the photo itself is not mirrored */
#image img {width: 100%; height: 100%; object-fit: contain}
#header {align-items: center; min-height: 48px}
#brand .prose {display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 14px}
#brand h1 {font-size: 1.2rem; margin: 0; letter-spacing: -0.01em}
#brand p {margin: 0; color: var(--body-text-color-subdued); font-size: 0.9rem}
#status {text-align: right}
.answer h2 {margin: 0; font-size: 0.85rem; font-weight: 500; color: var(--body-text-color-subdued);
  overflow-wrap: anywhere}
.answer .sentence {font-size: 1.6rem; line-height: 1.25; margin: 2px 0 4px; overflow-wrap: anywhere;
  color: var(--body-text-color)}
.answer .sentence b {font-weight: 700}
.answer em {font-style: normal; font-weight: 700; color: var(--link-text-color)}
.answer p {margin: 0; font-size: 0.85rem; color: var(--body-text-color-subdued)}
.answer ul {list-style: none; margin: 12px 0 8px; padding: 0}
.answer li {position: relative; display: flex; justify-content: space-between; gap: 12px;
  margin: 0 0 4px; padding: 6px 10px}
.answer li i {position: absolute; inset: 0 auto 0 0; border-radius: var(--radius-md);
  background: var(--color-accent-soft)}
.answer li span, .answer li b {position: relative; min-width: 0; overflow-wrap: anywhere}
.answer li b {white-space: nowrap; font-variant-numeric: tabular-nums}
.thumbnails h3 {margin: 0 0 8px; font-size: 0.9rem; font-weight: 600;
  color: var(--body-text-color)}
.thumbnails ul {list-style: none; margin: 0; padding: 3px; display: flex; gap: 10px;
  overflow-x: auto}
.thumbnails.wrap ul {flex-wrap: wrap; max-height: 420px; overflow-y: auto}
.thumbnails li {flex: none; margin: 0}
.thumbnails li > * {display: block; width: 104px; padding: 0; text-align: left; border: 0;
  background: none; font-size: 0.8rem; line-height: 1.3; overflow-wrap: anywhere;
  color: var(--body-text-color)}
.thumbnails img {width: 104px; height: 104px; object-fit: cover; display: block; margin: 0 0 4px;
  border-radius: var(--radius-md); border: 1px solid var(--border-color-primary)}
.thumbnails button {cursor: pointer}
.thumbnails button:is(:hover, :focus-visible) {outline: 2px solid var(--color-accent);
  outline-offset: 2px; border-radius: var(--radius-md)}
.thumbnails b, .thumbnails span {display: block}
.thumbnails b {font-weight: 600}
.thumbnails span {color: var(--body-text-color-subdued); font-weight: 400}
.thumbnails .mistake {color: #b91c1c}
.dark .thumbnails .mistake {color: #fca5a5}
.confusion p {margin: 0 0 8px; font-size: 0.85rem; color: var(--body-text-color-subdued)}
.confusion > div {overflow-x: auto}
.confusion table {border-collapse: separate; border-spacing: 2px; font-size: 0.85rem;
  color: var(--body-text-color); font-variant-numeric: tabular-nums}
.gradio-container .confusion th {font-weight: 600; padding: 4px 8px; text-align: left;
  max-width: 9em;
  white-space: normal; overflow-wrap: anywhere}
.gradio-container .confusion thead th {text-align: center; vertical-align: bottom}
.gradio-container .confusion :is(td, th) {border: 0; vertical-align: middle}
.gradio-container .confusion td {min-width: 38px; height: 34px; padding: 0; text-align: center;
  border-radius: var(--radius-sm)}
.confusion tbody td:not([class]) {color: var(--body-text-color-subdued)}
.confusion .right {background: color-mix(in srgb, var(--color-accent) var(--share), transparent)}
.confusion .mistake {background: color-mix(in srgb, #dc2626 var(--share), transparent)}
.confusion button {width: 100%; height: 34px; border: 0; background: none; cursor: pointer;
  font: inherit; color: var(--body-text-color); border-radius: inherit}
.confusion button:is(:hover, :focus-visible) {outline: 2px solid var(--color-accent)}
#status p {margin: 0; font-size: 0.9rem}
.quiet {font-size: 0.9rem; opacity: 0.85}
.tiles {display: grid; gap: 8px; margin: 2px 0;
  grid-template-columns: repeat(auto-fit, minmax(125px, 1fr))}
.tiles.six {grid-template-columns: repeat(3, 1fr)}
.tile {background: var(--block-background-fill); border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-md); padding: 8px 12px; min-width: 0}
.tile span {display: block; font-size: 0.75rem; opacity: 0.7; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis}
.tile b {display: block; font-size: 1.12rem; font-weight: 600; font-variant-numeric: tabular-nums}
.tile small {display: block; font-size: 0.75rem; opacity: 0.7}
.tile.main {border-color: var(--color-accent)}
.bar {height: 6px; border-radius: 3px; background: var(--border-color-primary);
  overflow: hidden; margin: 4px 0 10px}
.bar div {height: 100%; background: var(--color-accent)}
#run-bar {padding: 0 !important; border: 0; min-height: 0; background: none}
#run-bar .bar[hidden], .gradio-container :has(> #run-bar):has(.bar[hidden]) #run-bar {display: none}
#reason p {color: var(--error-text-color)}
.wrong [data-testid=block-info] ~ div, .wrong .info {color: var(--error-text-color) !important}
#run-bar .bar {height: 3px; margin: 0}
#sketch {max-width: 150px; padding: 12px 0 0 !important}
#sketch svg {width: 100%; height: auto; display: block}
.sketch {display: flex; flex-wrap: wrap; gap: 20px 28px; padding: 8px 0}
.sketch figure {margin: 0; width: 132px}
.sketch figcaption {font-size: 0.85rem; text-align: center; font-weight: 600}
.sketch svg {width: 100%; height: auto; display: block; color: var(--body-text-color)}
@media (max-width: 640px) { /* here Gradio puts its own prefix before each selector */
  #header {gap: 4px; flex-wrap: nowrap}
  #brand p {display: none}
  #brand, #status {min-width: 0 !important}
  #image, #image .image-container {height: 240px !important}
  .tiles.six {grid-template-columns: repeat(2, 1fr)}
  .prose td {min-width: 13em !important}
  #card td, #figures td {min-width: 0 !important}
  .confusion td {min-width: 32px !important}
  .tab-container button {padding: 0 7px !important; font-size: 0.85rem !important}
}
"""
