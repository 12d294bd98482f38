"""The look: system fonts, slate and one accent. Nothing is fetched from anywhere."""

from pathlib import Path

from gradio.themes import Base, Default

STYLE = Path(__file__).with_name("style")
SHEETS = ("page", "header", "parts", "classify", "data", "train", "compare", "adapters", "phone")
"""The style sheets, in this order: what differs on a phone comes last."""

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


def css() -> str:
    """All style sheets as one."""
    return "\n".join((STYLE / f"{sheet}.css").read_text("utf-8") for sheet in SHEETS)
