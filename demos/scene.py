import gradio as gr


def add_scene(room):
    gr.Markdown("to be written")
