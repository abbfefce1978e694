import gradio as gr


def add_api(room):
    gr.Markdown("to be written")
