import gradio as gr


def add_curve(room):
    gr.Markdown("to be written")
