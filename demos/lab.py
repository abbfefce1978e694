import gradio as gr


def add_lab(room):
    gr.Markdown("to be written")
